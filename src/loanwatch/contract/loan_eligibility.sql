-- One row for each application in the window [$1, $2), both timestamptz.
--
-- Exact copies collapse, and the latest version of a loan_id wins: 1 + duplicate_rows + superseded_rows source rows
-- became one. "Latest" is over the whole table, so an application belongs to the window of its latest version and to no
-- other; of versions with the same time, the last in text order wins. A customer with several different records is
-- ambiguous: its columns are missing, and customer_records or credit_records says how many there were (0: none).
-- Rows that differ only in case or outer spaces are copies.
--
-- Works whatever SQL types the columns have: nothing here parses a value. Ids are compared as text, and a time is
-- looked up among all texts that are times, so a text that is none lies in no window and does no harm. Most rows are
-- neither copies nor repeated; they take a short way that sorts nothing.

WITH bounds AS (
    -- Times have whole seconds, so a window that begins or ends within a second does so at the next one.
    SELECT
        to_char($1 AT TIME ZONE 'UTC' + interval '999999 microseconds', 'YYYYMMDD HH24:MI:SS') AS first_key,
        to_char($2 AT TIME ZONE 'UTC' + interval '999999 microseconds', 'YYYYMMDD HH24:MI:SS') AS end_key
),

window_day AS MATERIALIZED (
    SELECT day_text, day_key IN (left(first_key, 8), left(end_key, 8)) AS at_edge
    FROM bounds
    CROSS JOIN generate_series(
        date_trunc('day', $1 AT TIME ZONE 'UTC'), $2 AT TIME ZONE 'UTC' + interval '1 second', interval '1 day'
    ) AS day
    -- The second way is how dates and timestamps show themselves.
    CROSS JOIN LATERAL (VALUES (to_char(day, 'DD-MM-YYYY')), (to_char(day, 'YYYY-MM-DD'))) AS shown (day_text)
    CROSS JOIN LATERAL to_char(day, 'YYYYMMDD') AS day_key
),

calendar AS MATERIALIZED (  -- only made where a loan_id is repeated
    SELECT day_text
    FROM generate_series(timestamp '1900-01-01', timestamp '2199-12-31', interval '1 day') AS day
    CROSS JOIN LATERAL (VALUES (to_char(day, 'DD-MM-YYYY')), (to_char(day, 'YYYY-MM-DD'))) AS shown (day_text)
),

clock AS MATERIALIZED (
    SELECT to_char(second * interval '1 second', ' HH24:MI:SS') AS clock_text
    FROM generate_series(0, 86399) AS second
    UNION ALL
    SELECT to_char(minute * interval '1 minute', ' HH24:MI')
    FROM generate_series(0, 1439) AS minute
),

loan AS NOT MATERIALIZED (
    SELECT
        loan_id::text AS loan_id,
        customer_id::text AS customer_id,
        lower(btrim(loan_status::text, E' \t\r\n')) AS loan_status,
        CASE
            WHEN shown_time LIKE '____-__-__%' THEN
                substr(shown_time, 9, 2) || '-' || substr(shown_time, 6, 2) || '-' || left(shown_time, 4)
                || substr(shown_time || ' 00:00:00', 11, 9)
            ELSE shown_time
        END AS application_time,
        current_loan_amount,
        lower(btrim(term::text, E' \t\r\n')) AS term,
        tax_liens,
        lower(btrim(purpose::text, E' \t\r\n')) AS purpose,
        no_of_properties,
        left(shown_time, 10) AS day_text,
        CASE
            WHEN shown_time LIKE '____-__-__%' THEN substr(shown_time || ' 00:00:00', 11, 9)
            ELSE substr(shown_time, 11)
        END AS clock_text,
        CASE
            WHEN shown_time LIKE '____-__-__%' THEN
                replace(left(shown_time, 10), '-', '') || substr(shown_time || ' 00:00:00', 11, 9)
            ELSE
                substr(shown_time, 7, 4) || substr(shown_time, 4, 2) || left(shown_time, 2)
                || rpad(substr(shown_time, 11), 9, ':00')
        END COLLATE "C" AS time_key  -- YYYYMMDD HH:MM:SS, where day_text is in the calendar and clock_text on the clock
    FROM (SELECT *, btrim(application_time::text, E' \t\r\n') AS shown_time FROM loan_details) AS shown
),

repeated_loan AS MATERIALIZED (
    SELECT loan_id::text AS loan_id
    FROM loan_details
    WHERE loan_id IS NOT NULL
    GROUP BY loan_id
    HAVING count(*) > 1
),

loan_version AS (
    SELECT
        loan_id, customer_id, loan_status, application_time, current_loan_amount, term, tax_liens, purpose,
        no_of_properties, count(*) AS copies,
        min(
            CASE
                WHEN day_text IN (SELECT day_text FROM calendar) AND clock_text IN (SELECT clock_text FROM clock)
                THEN time_key
            END
        ) AS time_key
    FROM loan
    WHERE loan_id IN (SELECT loan_id FROM repeated_loan)
    GROUP BY
        loan_id, customer_id, loan_status, application_time, current_loan_amount, term, tax_liens, purpose,
        no_of_properties
),

ranked_loan AS (
    SELECT
        loan_version.*,
        sum(copies - 1) OVER (PARTITION BY loan_id)::bigint AS duplicate_rows,
        count(*) OVER (PARTITION BY loan_id) - 1 AS superseded_rows,
        row_number() OVER (
            PARTITION BY loan_id
            ORDER BY time_key DESC NULLS LAST, loan_version::text COLLATE "C" DESC
        ) AS position
    FROM loan_version
),

application AS (
    SELECT
        loan_id, customer_id, loan_status, application_time, current_loan_amount, term, tax_liens, purpose,
        no_of_properties, 0::bigint AS duplicate_rows, 0::bigint AS superseded_rows
    FROM loan
    WHERE (loan_id IN (SELECT loan_id FROM repeated_loan)) IS NOT TRUE  -- also where there is no loan_id
        AND day_text IN (SELECT day_text FROM window_day)
        AND clock_text IN (SELECT clock_text FROM clock)
        AND CASE
            WHEN day_text IN (SELECT day_text FROM window_day WHERE at_edge)
            THEN time_key >= (SELECT first_key FROM bounds) AND time_key < (SELECT end_key FROM bounds)
            ELSE true
        END
    UNION ALL
    SELECT
        loan_id, customer_id, loan_status, application_time, current_loan_amount, term, tax_liens, purpose,
        no_of_properties, duplicate_rows, superseded_rows
    FROM ranked_loan
    WHERE position = 1
        AND time_key >= (SELECT first_key FROM bounds)
        AND time_key < (SELECT end_key FROM bounds)
),

repeated_customer AS MATERIALIZED (
    SELECT customer_id::text AS customer_id
    FROM customer_details
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id
    HAVING count(*) > 1
),

customer AS NOT MATERIALIZED (
    SELECT
        customer_id::text AS customer_id,
        lower(btrim(home_ownership::text, E' \t\r\n')) AS home_ownership,
        annual_income,
        lower(btrim(years_in_current_job::text, E' \t\r\n')) AS years_in_current_job,
        months_since_last_delinquent,
        no_of_cars,
        no_of_children
    FROM customer_details
),

known_customer AS (
    SELECT customer.*, 1::bigint AS customer_records
    FROM customer
    WHERE (customer_id IN (SELECT customer_id FROM repeated_customer)) IS NOT TRUE
    UNION ALL
    SELECT
        customer_id,
        CASE WHEN records = 1 THEN home_ownership END,
        CASE WHEN records = 1 THEN annual_income END,
        CASE WHEN records = 1 THEN years_in_current_job END,
        CASE WHEN records = 1 THEN months_since_last_delinquent END,
        CASE WHEN records = 1 THEN no_of_cars END,
        CASE WHEN records = 1 THEN no_of_children END,
        records
    FROM (
        SELECT
            version.*,
            count(*) OVER (PARTITION BY customer_id) AS records,
            row_number() OVER (PARTITION BY customer_id) AS position
        FROM (SELECT DISTINCT * FROM customer WHERE customer_id IN (SELECT customer_id FROM repeated_customer)) AS version
    ) AS counted
    WHERE position = 1
),

repeated_credit AS MATERIALIZED (
    SELECT customer_id::text AS customer_id
    FROM credit_details
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id
    HAVING count(*) > 1
),

credit AS NOT MATERIALIZED (
    SELECT
        customer_id::text AS customer_id,
        credit_score,
        lower(btrim(monthly_debt::text, E' \t\r\n')) AS monthly_debt,
        years_of_credit_history,
        no_of_open_accounts,
        no_of_credit_problems,
        current_credit_balance,
        lower(btrim(max_open_credit::text, E' \t\r\n')) AS max_open_credit,
        bankruptcies
    FROM credit_details
),

known_credit AS (
    SELECT credit.*, 1::bigint AS credit_records
    FROM credit
    WHERE (customer_id IN (SELECT customer_id FROM repeated_credit)) IS NOT TRUE
    UNION ALL
    SELECT
        customer_id,
        CASE WHEN records = 1 THEN credit_score END,
        CASE WHEN records = 1 THEN monthly_debt END,
        CASE WHEN records = 1 THEN years_of_credit_history END,
        CASE WHEN records = 1 THEN no_of_open_accounts END,
        CASE WHEN records = 1 THEN no_of_credit_problems END,
        CASE WHEN records = 1 THEN current_credit_balance END,
        CASE WHEN records = 1 THEN max_open_credit END,
        CASE WHEN records = 1 THEN bankruptcies END,
        records
    FROM (
        SELECT
            version.*,
            count(*) OVER (PARTITION BY customer_id) AS records,
            row_number() OVER (PARTITION BY customer_id) AS position
        FROM (SELECT DISTINCT * FROM credit WHERE customer_id IN (SELECT customer_id FROM repeated_credit)) AS version
    ) AS counted
    WHERE position = 1
)

SELECT
    loan_id,
    customer_id,
    loan_status,
    application_time,
    current_loan_amount,
    term,
    tax_liens,
    purpose,
    no_of_properties,
    home_ownership,
    annual_income,
    years_in_current_job,
    months_since_last_delinquent,
    no_of_cars,
    no_of_children,
    credit_score,
    monthly_debt,
    years_of_credit_history,
    no_of_open_accounts,
    no_of_credit_problems,
    current_credit_balance,
    max_open_credit,
    bankruptcies,
    duplicate_rows,
    superseded_rows,
    coalesce(customer_records, 0) AS customer_records,
    coalesce(credit_records, 0) AS credit_records
FROM application
LEFT JOIN known_customer USING (customer_id)
LEFT JOIN known_credit USING (customer_id)
