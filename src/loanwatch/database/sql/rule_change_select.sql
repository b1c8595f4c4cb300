-- What happened to the rules or to one of them, newest first.
SELECT id, rule_id, kind, actor, reason, at, before, after
FROM loanwatch.alert_rule_change
WHERE %(rule_id)s::bigint IS NULL OR rule_id = %(rule_id)s
ORDER BY id DESC
LIMIT %(limit)s
