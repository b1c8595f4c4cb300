-- Whoever registers or deploys versions of this model waits here until the other's transaction has ended.
SELECT pg_advisory_xact_lock(hashtextextended('loanwatch.ml_model/' || %(name)s, 0))
