-- News that is old.
UPDATE loanwatch.alert
SET status = 'resolved', resolved_by = 'loanwatch', resolution = 'a notice that has been seen long enough'
WHERE id IN (
    SELECT id FROM loanwatch.alert
    WHERE event = ANY(%(notices)s) AND status <> 'resolved'
        AND opened_at < clock_timestamp() - make_interval(secs => %(seconds)s)
    FOR UPDATE SKIP LOCKED
)
