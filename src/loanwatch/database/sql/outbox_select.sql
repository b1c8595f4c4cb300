-- Deliveries, newest first. $status: only those.
SELECT id, alert_id, channel, status, attempts, created_at, next_attempt_at, delivered_at, last_error, possible_repeat,
       payload ->> 'title' AS title
FROM loanwatch.outbox
WHERE (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
ORDER BY id DESC
LIMIT %(limit)s
