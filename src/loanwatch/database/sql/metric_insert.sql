-- One figure of a model; rules are applied by trigger.
INSERT INTO loanwatch.model_metric (model_id, run_id, name, value, metadata)
VALUES (%(model_id)s, %(run_id)s, %(name)s, %(value)s, %(metadata)s)
