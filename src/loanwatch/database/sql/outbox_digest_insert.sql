-- One message in place of many.
INSERT INTO loanwatch.outbox (channel, payload) VALUES (%(channel)s, %(payload)s) RETURNING id
