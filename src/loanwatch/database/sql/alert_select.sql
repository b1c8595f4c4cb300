-- Alerts, newest first. $unresolved: only those that nobody resolved.
SELECT a.id, a.event, r.metric, r.condition, r.threshold, a.severity, a.status, a.triggered_at, a.acknowledged_at,
       a.acknowledged_by, a.resolved_at, a.occurrences, a.last_seen_at, a.message, a.details, a.run_id,
       m.name AS model, m.version
FROM loanwatch.alert AS a
LEFT JOIN loanwatch.alert_rule AS r ON r.id = a.rule_id
LEFT JOIN loanwatch.ml_model AS m ON m.id = a.model_id
WHERE NOT %(unresolved)s OR a.status <> 'resolved'
ORDER BY a.id DESC
LIMIT %(limit)s
