-- It arrived. Only the dispatcher that holds this attempt may say so.
UPDATE loanwatch.outbox
SET status = 'delivered', delivered_at = clock_timestamp(), receipt = %(receipt)s,
    possible_repeat = possible_repeat OR %(possible_repeat)s, outcome_unknown = false, last_error = NULL,
    claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND status = 'sending' AND claimed_by = %(dispatcher)s AND attempts = %(attempts)s
RETURNING id
