-- A window that is judged again.
DELETE FROM loanwatch.verdict
WHERE model_id = %(model_id)s AND check_name = %(check_name)s
    AND window_start = %(window_start)s AND window_end = %(window_end)s
