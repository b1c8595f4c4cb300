-- A rule that opens its alert at the same figures.
SELECT id
FROM loanwatch.alert_rule
WHERE metric = %(metric)s AND condition = %(condition)s AND threshold = %(threshold)s
    AND model_id IS NOT DISTINCT FROM %(model_id)s::bigint
    AND model_name IS NOT DISTINCT FROM %(model_name)s::text
ORDER BY id
LIMIT 1
