-- One dispatcher writes deliveries at a time, so that those of an alert stand in the order of its changes.
SELECT pg_try_advisory_xact_lock(hashtextextended('loanwatch.outbox/route', 0))
