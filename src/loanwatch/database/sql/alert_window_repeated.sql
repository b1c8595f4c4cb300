-- A repeat in a new window is told if there is news in it; the first occurrence was told by opening the alert.
INSERT INTO loanwatch.alert_change (alert_id, kind, reason, severity, notify)
SELECT alert.id, 'repeated', left(alert.message, 2000), alert.severity,
    %(is_news)s AND coalesce(alert.muted_until <= clock_timestamp(), true)
FROM loanwatch.alert
WHERE alert.id = %(alert_id)s AND alert.occurrences > 1
