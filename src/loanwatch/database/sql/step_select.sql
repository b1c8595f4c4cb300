-- The steps of a run in the order in which they began. $stage: one of them, or null for all.
SELECT run_id, stage, status, message, attempt_count, started_at, finished_at, result
FROM loanwatch.run_step
WHERE run_id = %(run_id)s AND (%(stage)s::text IS NULL OR stage = %(stage)s)
ORDER BY started_at, stage
