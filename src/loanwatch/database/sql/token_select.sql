-- Access tokens, oldest first. $valid: only those that are not revoked.
SELECT id, name, token_hash, requests_per_minute, created_at, created_by, revoked_at
FROM loanwatch.api_token
WHERE NOT %(valid)s OR revoked_at IS NULL
ORDER BY id
