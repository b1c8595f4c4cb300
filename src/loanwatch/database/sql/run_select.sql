-- Runs of a contract, newest first.
SELECT id, contract, window_start, window_end, attempt, status, outcome, champion_id, model_id, settings, summary,
       started_at, finished_at
FROM loanwatch.run
WHERE contract = %(contract)s
ORDER BY id DESC
LIMIT %(limit)s
