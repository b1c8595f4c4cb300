-- What a check said in the windows after one, in order; all of them where there is none.
SELECT window_start, window_end, rule, subject, severity, lingering, also, standing
FROM loanwatch.verdict
WHERE model_id = %(model_id)s AND check_name = %(check_name)s
    AND (window_end, window_start)
        > (coalesce(%(window_end)s::timestamptz, '-infinity'), coalesce(%(window_start)s::timestamptz, '-infinity'))
ORDER BY window_end, window_start, rule, subject
