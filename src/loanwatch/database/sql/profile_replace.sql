-- What was stored of this part of a day. A longer part stays: it holds the same applications and more.
DELETE FROM loanwatch.profile
WHERE contract = %(contract)s AND model_id = %(model_id)s AND day = %(day)s
    AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
    AND NOT (
        starts_at <= %(starts_at)s AND ends_at >= %(ends_at)s
        AND ends_at - starts_at > %(ends_at)s::timestamptz - %(starts_at)s::timestamptz
    )
