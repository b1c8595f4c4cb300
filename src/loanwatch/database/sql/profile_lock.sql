-- Days of one model are stored by one run after the other: two that overlap would count applications twice.
SELECT pg_advisory_xact_lock(hashtextextended(concat('loanwatch.profile ', %(model_id)s::bigint), 0))
