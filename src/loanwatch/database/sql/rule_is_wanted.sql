-- Whether a model still is to get the default rules: at most one version was ever deployed, and nobody made rules for it.
SELECT NOT EXISTS (SELECT FROM loanwatch.alert_rule WHERE model_name = %(name)s)
    AND (SELECT count(*) <= 1 FROM loanwatch.deployment AS d JOIN loanwatch.ml_model AS m ON m.id = d.model_id
         WHERE m.name = %(name)s)
