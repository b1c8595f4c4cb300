-- News of a contract from before its newest run: nobody needs to settle it.
UPDATE loanwatch.alert
SET status = 'resolved', resolved_by = 'loanwatch', resolution = 'news of an earlier window'
WHERE event = ANY(%(notices)s) AND status <> 'resolved' AND opened_at < %(before)s
    AND (
        starts_with(dedup_key, %(scope)s || '/')
        OR dedup_key IS NULL AND model_id IN (SELECT id FROM loanwatch.ml_model WHERE name = %(scope)s)
    )
