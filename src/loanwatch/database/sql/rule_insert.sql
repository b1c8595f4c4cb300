-- A rule; it is applied from the next figure on.
INSERT INTO loanwatch.alert_rule (model_id, model_name, metric, condition, threshold, severity, close_after, note)
VALUES (%(model_id)s, %(model_name)s, %(metric)s, %(condition)s, %(threshold)s, %(severity)s, %(close_after)s, %(note)s)
RETURNING id
