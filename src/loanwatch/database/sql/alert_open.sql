-- Opens an alert for a pipeline event, or counts a repeat on the one that is still unresolved under the same key.
INSERT INTO loanwatch.alert (event, severity, message, details, run_id, model_id, dedup_key)
VALUES (%(event)s, %(severity)s, %(message)s, %(details)s, %(run_id)s, %(model_id)s, %(dedup_key)s)
ON CONFLICT (dedup_key) WHERE dedup_key IS NOT NULL AND status <> 'resolved'
DO UPDATE SET occurrences = loanwatch.alert.occurrences + 1, last_seen_at = clock_timestamp()
RETURNING id
