-- Nothing is told of the alert for a time.
UPDATE loanwatch.alert
SET muted_until = clock_timestamp() + %(span)s, muted_by = %(actor)s, mute_reason = %(reason)s
WHERE id = %(id)s AND status <> 'resolved'
RETURNING muted_until
