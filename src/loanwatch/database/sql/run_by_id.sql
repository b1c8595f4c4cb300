-- One run.
SELECT id, contract, window_start, window_end, attempt, status, outcome, champion_id, model_id, settings, summary,
       started_at, finished_at
FROM loanwatch.run
WHERE id = %(id)s
