-- The journal of one model, newest first.
SELECT d.id, d.model_id, m.version, p.version AS previous_version, d.run_id, d.action, d.reason, d.actor, d.deployed_at
FROM loanwatch.deployment AS d
JOIN loanwatch.ml_model AS m ON m.id = d.model_id
LEFT JOIN loanwatch.ml_model AS p ON p.id = d.previous_model_id
WHERE m.name = %(name)s
ORDER BY d.id DESC
