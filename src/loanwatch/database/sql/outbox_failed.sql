-- It is given up: a dead letter, until somebody has it redelivered.
UPDATE loanwatch.outbox
SET status = 'failed', outcome_unknown = %(outcome_unknown)s, possible_repeat = possible_repeat OR %(possible_repeat)s,
    last_error = %(error)s, claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND status = 'sending' AND claimed_by = %(dispatcher)s AND attempts = %(attempts)s
RETURNING id
