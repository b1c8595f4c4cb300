-- Counts a well window on the unresolved alert of a cause, and closes it after enough of them.
UPDATE loanwatch.alert AS known
SET well_windows = known.well_windows + 1,
    well_key = %(window)s,
    status = CASE WHEN known.well_windows + 1 >= known.close_after THEN 'resolved' ELSE known.status END,
    resolved_by = CASE WHEN known.well_windows + 1 >= known.close_after THEN 'loanwatch' END,
    resolution = CASE WHEN known.well_windows + 1 >= known.close_after
        THEN coalesce(%(reason)s::text,
            concat('well again: ', known.well_windows + 1, ' in a row, last ', %(window)s::text)) END
WHERE known.dedup_key = %(dedup_key)s AND known.status <> 'resolved' AND known.close_after > 0
    AND known.well_key IS DISTINCT FROM %(window)s
