-- The deliveries that these changes owe are in the outbox.
UPDATE loanwatch.alert_change SET routed_at = clock_timestamp() WHERE id = ANY(%(ids)s)
