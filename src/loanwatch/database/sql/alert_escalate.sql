-- Alerts that nobody acknowledged in time; each escalation waits twice as long as the one before.
UPDATE loanwatch.alert
SET escalation_level = escalation_level + 1, escalated_at = clock_timestamp()
WHERE id IN (
    SELECT id FROM loanwatch.alert
    WHERE status = 'open' AND severity = %(severity)s AND escalation_level < %(maximum)s
        AND (muted_until IS NULL OR muted_until <= clock_timestamp())
        AND coalesce(escalated_at, opened_at)
            < clock_timestamp() - make_interval(secs => %(seconds)s * power(2, escalation_level))
        AND coalesce(event, '') <> ALL(%(notices)s)
    FOR UPDATE SKIP LOCKED
)
