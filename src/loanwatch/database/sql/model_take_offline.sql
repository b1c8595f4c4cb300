-- The version that is online, if any, stops being so.
UPDATE loanwatch.ml_model SET status = 'offline' WHERE name = %(name)s AND status = 'online'
