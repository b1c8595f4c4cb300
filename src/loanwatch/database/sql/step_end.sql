-- A stage ends, in the transaction that holds everything it wrote.
UPDATE loanwatch.run_step
SET status = %(status)s, message = %(message)s, result = %(result)s, finished_at = clock_timestamp()
WHERE run_id = %(run_id)s AND stage = %(stage)s
