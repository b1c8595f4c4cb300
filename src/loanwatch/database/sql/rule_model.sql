-- The row of a model's version.
SELECT id FROM loanwatch.ml_model WHERE name = %(name)s AND version = %(version)s
