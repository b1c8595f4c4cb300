-- Opens an alert for a pipeline event, or counts a repeat on the one that is still unresolved under the same key.
INSERT INTO loanwatch.alert AS known (event, severity, message, details, run_id, model_id, dedup_key, close_after)
VALUES (%(event)s, %(severity)s, %(message)s, %(details)s, %(run_id)s, %(model_id)s, %(dedup_key)s, %(close_after)s)
ON CONFLICT (dedup_key) WHERE dedup_key IS NOT NULL AND status <> 'resolved'
DO UPDATE SET
    occurrences = known.occurrences + 1,
    last_seen_at = clock_timestamp(),
    severity = excluded.severity,
    message = excluded.message,
    details = excluded.details,
    run_id = coalesce(excluded.run_id, known.run_id),
    model_id = coalesce(excluded.model_id, known.model_id),
    close_after = excluded.close_after,
    well_windows = 0,
    well_key = NULL
RETURNING id
