-- The journal of what was deployed when, by whom and why.
INSERT INTO loanwatch.deployment (model_id, previous_model_id, run_id, action, reason, actor)
VALUES (%(model_id)s, %(previous_model_id)s, %(run_id)s, %(action)s, %(reason)s, %(actor)s)
