-- An alert's earlier delivery is found by its own index, however many deliveries wait and however old the statistics are.
CREATE INDEX outbox_order_idx ON loanwatch.outbox (alert_id, channel, id) WHERE status IN ('pending', 'sending');

-- Repeats update an alert's row over and over: room for the new version beside the old one.
ALTER TABLE loanwatch.alert SET (fillfactor = 70);
