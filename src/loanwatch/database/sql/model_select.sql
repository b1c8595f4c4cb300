-- Versions of a model, newest first. $name: the model; $version: one version, or null for all; $status: or null for any.
SELECT id, name, version, status, run_id, deployed_at, artifact_digest AS digest, metadata, created_at
FROM loanwatch.ml_model
WHERE name = %(name)s
  AND (%(version)s::integer IS NULL OR version = %(version)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
ORDER BY version DESC
