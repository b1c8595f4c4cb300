-- What quiet hours or a digest held back and is due now, by channel; a clock set back holds nothing for over a day.
SELECT id, alert_id, payload, next_attempt_at
FROM loanwatch.outbox
WHERE status = 'held' AND channel = %(channel)s
    AND (next_attempt_at <= clock_timestamp() OR next_attempt_at > clock_timestamp() + interval '25 hours')
ORDER BY id
FOR UPDATE SKIP LOCKED
