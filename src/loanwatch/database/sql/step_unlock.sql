SELECT pg_advisory_unlock(hashtextextended('loanwatch.run_step/' || %(run_id)s || '/' || %(stage)s, 0))
