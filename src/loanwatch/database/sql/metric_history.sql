-- A figure of a model over the windows that were checked, oldest first; one row a window, the newest run's.
SELECT DISTINCT ON (r.window_start, r.window_end)
    r.window_start, r.window_end, m.version, k.value, k.metadata
FROM loanwatch.model_metric AS k
JOIN loanwatch.run AS r ON r.id = k.run_id
JOIN loanwatch.ml_model AS m ON m.id = k.model_id
WHERE m.name = %(name)s AND k.name = %(metric)s AND r.window_end <= %(until)s
ORDER BY r.window_start, r.window_end, k.id DESC
