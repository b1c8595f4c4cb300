-- The windows within a period whose newest run was halted by the quality of the data.
SELECT window_start, window_end
FROM (
    SELECT DISTINCT ON (window_start, window_end) window_start, window_end, outcome
    FROM loanwatch.run
    WHERE contract = %(contract)s AND window_start < %(end)s AND window_end > %(start)s AND status = 'finished'
    ORDER BY window_start, window_end, attempt DESC
) AS newest
WHERE outcome = 'halted'
ORDER BY window_start
