-- The alert is heard again before its time.
UPDATE loanwatch.alert
SET muted_until = NULL, muted_by = %(actor)s, mute_reason = NULL
WHERE id = %(id)s AND status <> 'resolved' AND muted_until IS NOT NULL
RETURNING id
