-- Muting that is over.
UPDATE loanwatch.alert
SET muted_until = NULL, muted_by = 'loanwatch', mute_reason = NULL
WHERE id IN (
    SELECT id FROM loanwatch.alert
    WHERE muted_until <= clock_timestamp() AND status <> 'resolved' FOR UPDATE SKIP LOCKED
)
