-- A stage begins, or begins again after its process died.
INSERT INTO loanwatch.run_step (run_id, stage, status, attempt_count, started_at)
VALUES (%(run_id)s, %(stage)s, 'started', 1, clock_timestamp())
ON CONFLICT (run_id, stage)
DO UPDATE SET status = 'started', attempt_count = loanwatch.run_step.attempt_count + 1,
              started_at = clock_timestamp(), finished_at = NULL, message = NULL, result = '{}'
