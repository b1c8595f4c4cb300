-- Says that this dispatcher lives, as long as the session does.
SELECT pg_advisory_lock(%(lock_class)s, %(dispatcher)s)
