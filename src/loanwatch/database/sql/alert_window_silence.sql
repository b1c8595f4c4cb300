-- An alert that was opened for a window of which an earlier alert told is kept, and not told again.
UPDATE loanwatch.alert_change AS change
SET notify = false
FROM loanwatch.alert
WHERE alert.id = %(alert_id)s AND alert.occurrences = 1 AND change.alert_id = alert.id AND change.kind = 'opened'
