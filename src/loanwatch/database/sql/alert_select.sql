-- Alerts, newest first. $unresolved: only those that nobody resolved; the other filters where they are given.
SELECT a.id, a.event, r.metric, r.condition, r.threshold, a.severity, a.status, a.triggered_at, a.opened_at,
       a.acknowledged_at, a.acknowledged_by, a.acknowledged_note, a.resolved_at, a.resolved_by, a.resolution,
       a.muted_until, a.escalation_level, a.occurrences, a.last_seen_at, a.well_windows, a.message, a.details, a.run_id,
       m.name AS model, m.version,
       a.status <> 'resolved' AND coalesce(a.muted_until > clock_timestamp(), false) AS is_muted
FROM loanwatch.alert AS a
LEFT JOIN loanwatch.alert_rule AS r ON r.id = a.rule_id
LEFT JOIN loanwatch.ml_model AS m ON m.id = a.model_id
WHERE (%(id)s::bigint IS NULL OR a.id = %(id)s)
    AND (NOT %(unresolved)s OR a.status <> 'resolved')
    AND (%(severity)s::text IS NULL OR a.severity = %(severity)s)
    AND (%(model)s::text IS NULL OR m.name = %(model)s)
    AND (%(event)s::text IS NULL OR a.event = %(event)s)
ORDER BY a.id DESC
LIMIT %(limit)s
