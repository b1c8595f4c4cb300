-- A delivery that is owed, once for a change and channel.
INSERT INTO loanwatch.outbox (alert_id, change_id, channel, payload, status, next_attempt_at, last_error)
VALUES (%(alert_id)s, %(change_id)s, %(channel)s, %(payload)s, %(status)s,
        coalesce(%(due_at)s, clock_timestamp()), %(note)s)
ON CONFLICT (change_id, channel) DO NOTHING
