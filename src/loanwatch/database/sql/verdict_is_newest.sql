-- Whether the check was made in no later window, under any version of the model.
SELECT NOT EXISTS (
    SELECT FROM loanwatch.verdict
    JOIN loanwatch.ml_model AS model ON model.id = verdict.model_id
    WHERE model.name = (SELECT name FROM loanwatch.ml_model WHERE id = %(model_id)s)
        AND verdict.check_name = %(check_name)s AND verdict.rule = '' AND verdict.subject = ''
        AND (verdict.window_end, verdict.window_start) > (%(window_end)s, %(window_start)s)
)
