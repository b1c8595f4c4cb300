-- The rules, or one of them.
SELECT rule.id, coalesce(rule.model_name, model.name) AS model, model.version, rule.metric, rule.condition,
       rule.threshold, rule.severity, rule.enabled, rule.close_after, rule.note, rule.created_at, rule.updated_at
FROM loanwatch.alert_rule AS rule
LEFT JOIN loanwatch.ml_model AS model ON model.id = rule.model_id
WHERE %(id)s::bigint IS NULL OR rule.id = %(id)s
ORDER BY rule.id
