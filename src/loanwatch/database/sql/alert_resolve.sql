-- The alert's cause is gone.
UPDATE loanwatch.alert
SET status = 'resolved', resolved_at = clock_timestamp(), resolved_by = %(actor)s, resolution = %(reason)s
WHERE id = %(id)s AND status <> 'resolved'
RETURNING id
