-- Dead letters are tried again from the beginning, under the same key.
UPDATE loanwatch.outbox
SET status = 'pending', attempts = 0, next_attempt_at = clock_timestamp(), last_error = NULL
WHERE status = 'failed'
    AND (%(id)s::bigint IS NULL OR id = %(id)s)
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
RETURNING id, pg_notify('loanwatch_alerts', 'outbox')
