-- What stands of one subject after the newest window.
INSERT INTO loanwatch.verdict_state
    (model_id, check_name, rule, subject, severity, since, last_seen, window_count, well_windows)
VALUES
    (%(model_id)s, %(check_name)s, %(rule)s, %(subject)s, %(severity)s, %(since)s, %(last_seen)s, %(window_count)s,
     %(well_windows)s)
