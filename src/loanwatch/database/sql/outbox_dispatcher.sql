-- A number for this dispatcher.
SELECT nextval('loanwatch.dispatcher_seq')
