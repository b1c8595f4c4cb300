-- Changes what is given.
UPDATE loanwatch.alert_rule
SET condition = coalesce(%(condition)s, condition),
    threshold = coalesce(%(threshold)s, threshold),
    severity = coalesce(%(severity)s, severity),
    close_after = coalesce(%(close_after)s, close_after),
    enabled = coalesce(%(enabled)s, enabled),
    note = coalesce(%(note)s, note)
WHERE id = %(id)s
RETURNING id
