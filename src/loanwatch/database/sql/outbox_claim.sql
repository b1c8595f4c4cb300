-- Takes one delivery of a channel for this dispatcher: one that is due, or one whose dispatcher is gone.
-- An alert's deliveries leave in order. Waiting times are never longer than an hour, so that one that seems to be
-- comes from a clock that was set back.
WITH due AS (
    SELECT owed.id
    FROM loanwatch.outbox AS owed
    WHERE owed.channel = %(channel)s
        AND (
            (owed.status = 'pending' AND (
                owed.attempts = 0
                OR owed.next_attempt_at <= clock_timestamp()
                OR owed.next_attempt_at > clock_timestamp() + interval '61 minutes'
            ))
            OR (owed.status = 'sending' AND (
                owed.claimed_until < clock_timestamp() - interval '20 minutes'
                OR (
                    (owed.claimed_until < clock_timestamp()
                        OR owed.claimed_until > clock_timestamp() + interval '20 minutes')
                    AND NOT EXISTS (  -- lives: its session holds the lock of its number, whatever the clocks say
                        SELECT FROM pg_locks
                        WHERE locktype = 'advisory' AND classid = %(lock_class)s AND objid = owed.claimed_by::bigint
                            AND objsubid = 2
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    )
                )
            ))
        )
        AND NOT EXISTS (
            SELECT FROM loanwatch.outbox AS earlier
            WHERE earlier.alert_id = owed.alert_id AND earlier.channel = owed.channel AND earlier.id < owed.id
                AND earlier.status IN ('pending', 'sending')
            OFFSET 0  -- looked up for each row in turn: as a join it would read everything that waits
        )
    ORDER BY owed.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE loanwatch.outbox AS owed
    SET status = 'sending',
        outcome_unknown = owed.outcome_unknown OR owed.status = 'sending',
        claimed_by = %(dispatcher)s,
        claimed_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        attempts = owed.attempts + 1,
        first_attempt_at = coalesce(owed.first_attempt_at, clock_timestamp())
    FROM due
    WHERE owed.id = due.id
    RETURNING owed.*
)
SELECT claimed.id, claimed.channel, claimed.alert_id, claimed.idempotency_key, claimed.attempts,
       claimed.outcome_unknown, claimed.possible_repeat, claimed.created_at, claimed.first_attempt_at, claimed.payload,
       alert.event,
       (SELECT first.receipt FROM loanwatch.outbox AS first
        WHERE first.alert_id = claimed.alert_id AND first.channel = claimed.channel AND first.status = 'delivered'
        ORDER BY first.id LIMIT 1) AS thread
FROM claimed
LEFT JOIN loanwatch.alert ON alert.id = claimed.alert_id
