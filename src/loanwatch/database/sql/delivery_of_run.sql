-- What became of the messages about one kind of event that were owed since a run began.
SELECT o.status, o.channel, o.last_error
FROM loanwatch.outbox AS o
JOIN loanwatch.alert AS a ON a.id = o.alert_id
JOIN loanwatch.run AS r ON r.id = %(run_id)s
WHERE a.event = %(event)s AND o.created_at >= r.started_at
