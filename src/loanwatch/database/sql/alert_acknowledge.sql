-- Somebody has seen the alert and looks after it.
UPDATE loanwatch.alert
SET status = 'acknowledged', acknowledged_at = clock_timestamp(), acknowledged_by = %(actor)s,
    acknowledged_note = %(note)s
WHERE id = %(id)s AND status = 'open'
RETURNING id
