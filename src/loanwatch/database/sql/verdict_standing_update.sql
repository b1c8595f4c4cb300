-- What stands after a window.
UPDATE loanwatch.verdict
SET standing = %(standing)s
WHERE model_id = %(model_id)s AND check_name = %(check_name)s
    AND window_start = %(window_start)s AND window_end = %(window_end)s AND rule = '' AND subject = ''
