-- Whether a channel still has something to do at once.
SELECT count(*) FROM loanwatch.outbox
WHERE channel = ANY(%(channels)s) AND status IN ('pending', 'sending')
