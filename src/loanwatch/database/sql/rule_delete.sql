-- Deletes a rule; a trigger resolves its alerts.
DELETE FROM loanwatch.alert_rule WHERE id = %(id)s RETURNING id
