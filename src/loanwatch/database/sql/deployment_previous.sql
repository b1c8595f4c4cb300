-- What was online before the version that is online now: the previous model of the newest deployment that put it there.
SELECT d.previous_model_id AS id
FROM loanwatch.deployment AS d
JOIN loanwatch.ml_model AS m ON m.id = d.model_id
WHERE m.name = %(name)s AND m.status = 'online' AND d.previous_model_id IS NOT NULL AND d.action = 'deploy'
ORDER BY d.id DESC
LIMIT 1
