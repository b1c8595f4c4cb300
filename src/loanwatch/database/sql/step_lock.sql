-- Whoever works on this stage of this run holds the lock until its session ends, also when it is killed.
SELECT pg_advisory_lock(hashtextextended('loanwatch.run_step/' || %(run_id)s || '/' || %(stage)s, 0))
