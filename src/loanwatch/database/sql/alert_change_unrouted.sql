-- Changes that somebody is to be told of and that no delivery was written for yet, oldest first.
SELECT change.id, change.kind, change.actor, change.reason, change.severity, change.at,
       alert.id AS alert_id, alert.event, alert.message, alert.details, alert.run_id, alert.triggered_at,
       alert.occurrences, alert.status, rule.metric, model.name AS model, model.version,
       clock_timestamp() AS now,
       change.at < clock_timestamp() - interval '1 day' AND alert.status = 'resolved' AS is_stale
FROM loanwatch.alert_change AS change
JOIN loanwatch.alert ON alert.id = change.alert_id
LEFT JOIN loanwatch.alert_rule AS rule ON rule.id = alert.rule_id
LEFT JOIN loanwatch.ml_model AS model ON model.id = alert.model_id
WHERE change.notify AND change.routed_at IS NULL
ORDER BY change.id
LIMIT %(limit)s
