-- Whether a cause was seen in a window.
SELECT EXISTS (
    SELECT FROM loanwatch.alert_window WHERE dedup_key = %(dedup_key)s AND window_key = %(window)s
)
