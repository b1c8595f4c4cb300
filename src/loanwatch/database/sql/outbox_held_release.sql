-- A single held message goes out as it is.
UPDATE loanwatch.outbox SET status = 'pending', next_attempt_at = clock_timestamp() WHERE id = ANY(%(ids)s)
