-- Ends the validity of the token of this name.
UPDATE loanwatch.api_token SET revoked_at = now() WHERE name = %(name)s AND revoked_at IS NULL RETURNING id
