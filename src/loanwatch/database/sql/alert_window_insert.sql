-- Remembers that a cause was seen in a window; no row is inserted where it was known.
INSERT INTO loanwatch.alert_window (dedup_key, window_key, alert_id, run_id)
VALUES (%(dedup_key)s, %(window)s, %(alert_id)s, %(run_id)s)
ON CONFLICT (dedup_key, window_key) DO NOTHING
