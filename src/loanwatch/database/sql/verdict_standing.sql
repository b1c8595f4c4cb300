-- What stood after the last window before one of which it is known.
SELECT window_start, window_end, standing
FROM loanwatch.verdict
WHERE model_id = %(model_id)s AND check_name = %(check_name)s AND rule = '' AND subject = '' AND standing IS NOT NULL
    AND (window_end, window_start) < (%(window_end)s, %(window_start)s)
ORDER BY window_end DESC, window_start DESC
LIMIT 1
