-- The digest has taken their place.
UPDATE loanwatch.outbox SET status = 'digested', digest_id = %(digest_id)s WHERE id = ANY(%(ids)s)
