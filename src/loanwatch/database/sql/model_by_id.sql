-- One version of a model.
SELECT id, name, version, status, run_id, deployed_at, artifact_digest AS digest, metadata, created_at
FROM loanwatch.ml_model
WHERE id = %(id)s
