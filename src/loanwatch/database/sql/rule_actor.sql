-- Says for this transaction in whose name rules are changed; the trigger that keeps the history reads it.
SELECT set_config('loanwatch.actor', coalesce(%(actor)s::text, ''), true),
       set_config('loanwatch.reason', coalesce(%(reason)s::text, ''), true)
