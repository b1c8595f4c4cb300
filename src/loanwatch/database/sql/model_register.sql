-- Registers a trained model under the next version number; the caller holds the model's lock.
INSERT INTO loanwatch.ml_model (name, version, status, run_id, artifact_digest, metadata)
SELECT %(name)s, coalesce(max(version), 0) + 1, 'offline', %(run_id)s, %(digest)s, %(metadata)s
FROM loanwatch.ml_model
WHERE name = %(name)s
RETURNING id, name, version, status, run_id, deployed_at, artifact_digest AS digest, metadata, created_at
