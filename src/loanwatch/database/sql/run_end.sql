-- A run ends; the model that is online at that moment is recorded with it. What was finished is never failed afterwards.
UPDATE loanwatch.run
SET status = %(status)s, outcome = %(outcome)s, summary = %(summary)s, finished_at = clock_timestamp(),
    model_id = (SELECT id FROM loanwatch.ml_model WHERE name = loanwatch.run.contract AND status = 'online')
WHERE id = %(id)s AND (status <> 'finished' OR %(status)s = 'finished')
