-- Windows of one contract and check are taken up one after the other, whichever version judges them.
SELECT pg_advisory_xact_lock(hashtextextended(
    concat('loanwatch.verdict ', (SELECT name FROM loanwatch.ml_model WHERE id = %(model_id)s), ' ', %(check_name)s::text), 0
))
