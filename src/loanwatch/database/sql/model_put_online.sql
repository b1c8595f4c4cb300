-- One version becomes the deployed one.
UPDATE loanwatch.ml_model SET status = 'online', deployed_at = clock_timestamp() WHERE id = %(id)s
