-- Everything that happened to an alert.
SELECT id, alert_id, kind, actor, reason, severity, at
FROM loanwatch.alert_change
WHERE alert_id = %(alert_id)s
ORDER BY id
