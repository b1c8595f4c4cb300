-- What a window said of one subject.
INSERT INTO loanwatch.verdict
    (model_id, check_name, rule, subject, window_start, window_end, run_id, severity, lingering, also)
VALUES
    (%(model_id)s, %(check_name)s, %(rule)s, %(subject)s, %(window_start)s, %(window_end)s, %(run_id)s, %(severity)s,
     %(lingering)s, %(also)s)
