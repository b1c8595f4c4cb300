-- Windows of one model and check are taken up one after the other.
SELECT pg_advisory_xact_lock(hashtextextended(concat('loanwatch.verdict ', %(model_id)s::bigint, ' ', %(check_name)s::text), 0))
