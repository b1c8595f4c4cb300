-- The newest attempt at a window.
SELECT id, contract, window_start, window_end, attempt, status, outcome, champion_id, model_id, settings, summary,
       started_at, finished_at
FROM loanwatch.run
WHERE contract = %(contract)s AND window_start = %(start)s AND window_end = %(end)s
ORDER BY attempt DESC
LIMIT 1
