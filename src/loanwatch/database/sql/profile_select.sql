-- The parts of days that lie in a window, in order.
SELECT starts_at, ends_at, content
FROM loanwatch.profile
WHERE contract = %(contract)s AND model_id = %(model_id)s
    AND day BETWEEN (%(start)s::timestamptz AT TIME ZONE 'UTC')::date AND (%(end)s::timestamptz AT TIME ZONE 'UTC')::date
    AND starts_at >= %(start)s AND ends_at <= %(end)s
ORDER BY starts_at
