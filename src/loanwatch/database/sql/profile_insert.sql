-- A part of a day, unless a longer one that holds it is stored.
INSERT INTO loanwatch.profile (contract, model_id, day, starts_at, ends_at, run_id, row_count, payload, content)
SELECT %(contract)s, %(model_id)s, %(day)s, %(starts_at)s, %(ends_at)s, %(run_id)s, %(row_count)s, %(payload)s,
    %(content)s
WHERE NOT EXISTS (
    SELECT FROM loanwatch.profile
    WHERE contract = %(contract)s AND model_id = %(model_id)s AND day = %(day)s
        AND starts_at <= %(starts_at)s AND ends_at >= %(ends_at)s
)
