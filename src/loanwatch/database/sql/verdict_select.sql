-- Everything that a check said of a model, in the order of the windows.
SELECT window_start, window_end, rule, subject, severity, lingering
FROM loanwatch.verdict
WHERE model_id = %(model_id)s AND check_name = %(check_name)s
ORDER BY window_end, window_start, rule, subject
