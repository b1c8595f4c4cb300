-- A run that failed goes on.
UPDATE loanwatch.run SET status = 'started', outcome = NULL, finished_at = NULL WHERE id = %(id)s AND status = 'failed'
