-- Begins a run of a window unless one is under way; the partial unique index lets only one of two callers in.
INSERT INTO loanwatch.run (contract, window_start, window_end, attempt, status, champion_id, settings)
SELECT %(contract)s, %(start)s, %(end)s,
       coalesce((SELECT max(attempt) FROM loanwatch.run
                 WHERE contract = %(contract)s AND window_start = %(start)s AND window_end = %(end)s), 0) + 1,
       'started',
       (SELECT id FROM loanwatch.ml_model WHERE name = %(contract)s AND status = 'online'),
       %(settings)s
ON CONFLICT DO NOTHING
RETURNING id
