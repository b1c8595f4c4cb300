-- Adds an access token; of the secret only the hash is kept.
INSERT INTO loanwatch.api_token (name, token_hash, requests_per_minute, created_by)
VALUES (%(name)s, %(token_hash)s, %(requests_per_minute)s, %(created_by)s)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
RETURNING id
