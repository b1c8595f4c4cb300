-- It did not arrive, or nobody knows: it is tried again later.
UPDATE loanwatch.outbox
SET status = 'pending', next_attempt_at = clock_timestamp() + make_interval(secs => %(delay_seconds)s),
    outcome_unknown = %(outcome_unknown)s, possible_repeat = possible_repeat OR %(possible_repeat)s,
    last_error = %(error)s, claimed_by = NULL, claimed_until = NULL
WHERE id = %(id)s AND status = 'sending' AND claimed_by = %(dispatcher)s AND attempts = %(attempts)s
RETURNING id
