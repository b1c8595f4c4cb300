-- What stood before a window was taken up.
DELETE FROM loanwatch.verdict_state WHERE model_id = %(model_id)s AND check_name = %(check_name)s
