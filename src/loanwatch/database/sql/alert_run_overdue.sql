-- Contracts whose next window is overdue, counted from the end of the newest finished run: the dead man's switch.
SELECT latest.id, latest.contract, latest.finished_at, latest.window_end, latest.patience
FROM (
    SELECT DISTINCT ON (run.contract) run.id, run.contract, run.window_end,
        greatest(run.finished_at, (SELECT max(started_at) FROM loanwatch.run AS newer
                                   WHERE newer.contract = run.contract AND newer.status = 'started')) AS finished_at,
        coalesce(make_interval(secs => %(seconds)s),
            (run.window_end - run.window_start) * 1.25 + interval '2 hours') AS patience
    FROM loanwatch.run
    WHERE run.status = 'finished'
    ORDER BY run.contract, run.id DESC
) AS latest
WHERE latest.finished_at < clock_timestamp() - latest.patience
    AND NOT EXISTS (
        SELECT FROM loanwatch.alert_window AS told
        WHERE told.dedup_key = latest.contract || '/no_data' AND told.window_key = 'after run ' || latest.id
    )
