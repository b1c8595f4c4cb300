-- One row for each application in the window [$1, $2), both timestamptz.
--
-- Exact copies collapse, and the latest version of a loan_id wins: 1 + duplicate_rows + superseded_rows source rows
-- became one. "Latest" is over the whole table, so an application belongs to the window of its latest version and to no
-- other; of versions with the same time, the last in text order wins. A customer with several different records is
-- ambiguous: its columns are missing, and customer_records or credit_records says how many there were (0: none).
-- Rows that differ only in case or outer spaces are copies.
--
-- Works whatever SQL types the columns have: nothing here parses a value. Ids are compared as text, and a time is
-- looked up among the texts of days, minutes and seconds, so a text that is none lies in no window and does no harm.
-- Most rows are neither copies nor repeated; they take a short way that sorts nothing but 64-bit hashes of ids. Two ids
-- that share a hash merely go the long way, where the ids themselves are compared.

WITH bounds AS (
    -- Times have whole seconds, so a window that begins or ends within a second does so at the next one.
    SELECT
        to_char($1 AT TIME ZONE 'UTC' + interval '999999 microseconds', 'YYYYMMDD HH24:MI:SS') AS first_key,
        to_char($2 AT TIME ZONE 'UTC' + interval '999999 microseconds', 'YYYYMMDD HH24:MI:SS') AS end_key
),

window_day AS MATERIALIZED (
    SELECT to_char(day, 'DD-MM-YYYY') AS day_text, day_key IN (left(first_key, 8), left(end_key, 8)) AS at_edge
    FROM bounds
    CROSS JOIN generate_series(
        date_trunc('day', $1 AT TIME ZONE 'UTC'), $2 AT TIME ZONE 'UTC' + interval '1 second', interval '1 day'
    ) AS day
    CROSS JOIN LATERAL to_char(day, 'YYYYMMDD') AS day_key
),

clock_minute AS MATERIALIZED (
    SELECT to_char(minute * interval '1 minute', ' HH24:MI') AS minute_text
    FROM generate_series(0, 1439) AS minute
),

clock_second AS MATERIALIZED (
    SELECT to_char(second * interval '1 second', ':SS') AS second_text
    FROM generate_series(0, 59) AS second
    UNION ALL
    SELECT ''
),

loan AS NOT MATERIALIZED (
    SELECT
        hashtextextended(loan_id::text, 0) AS id_hash,
        loan_id::text AS loan_id,
        customer_id::text AS customer_id,
        loan_status,
        -- YYYY-MM-DD HH:MM:SS is how dates and timestamps show themselves.
        CASE
            WHEN shown_time LIKE '____-__-__%' THEN
                substr(shown_time, 9, 2) || '-' || substr(shown_time, 6, 2) || '-' || left(shown_time, 4)
                || substr(shown_time || ' 00:00:00', 11, 9)
            ELSE shown_time
        END AS application_time,
        current_loan_amount,
        term,
        tax_liens,
        purpose,
        no_of_properties
    FROM (
        SELECT
            loan_id, customer_id, loan_status, btrim(application_time::text, E' \t\r\n') AS shown_time,
            current_loan_amount, term, tax_liens, purpose, no_of_properties
        FROM loan_details
    ) AS shown
    OFFSET 0  -- keeps the planner from writing the time's expression out wherever it is used
),

spelled_loan AS NOT MATERIALIZED (
    SELECT
        id_hash,
        loan_id,
        customer_id,
        lower(btrim(loan_status::text, E' \t\r\n')) AS loan_status,
        application_time,
        current_loan_amount,
        lower(btrim(term::text, E' \t\r\n')) AS term,
        tax_liens,
        lower(btrim(purpose::text, E' \t\r\n')) AS purpose,
        no_of_properties,
        (
            substr(application_time, 7, 4) || substr(application_time, 4, 2) || left(application_time, 2)
            || rpad(substr(application_time, 11), 9, ':00')
        ) COLLATE "C" AS time_key  -- YYYYMMDD HH:MM:SS, where the text is a time
    FROM loan
),

repeated_loan AS MATERIALIZED (
    SELECT id_hash
    FROM (
        SELECT hashtextextended(loan_id::text, 0) AS id_hash
        FROM loan_details
        WHERE loan_id IS NOT NULL
        ORDER BY id_hash  -- sorting numbers beats a hash table of a million ids
    ) AS sorted
    GROUP BY id_hash
    HAVING count(*) > 1
),

loan_version AS (
    SELECT
        loan_id, customer_id, loan_status, application_time, current_loan_amount, term, tax_liens, purpose,
        no_of_properties, count(*) AS copies,
        min(
            CASE
                -- A day of the years 1900 to 2199, the 29th of February in leap years only, and a time of the day.
                WHEN application_time ~ (
                    '^(((0[1-9]|1[0-9]|2[0-8])-(0[1-9]|1[0-2])|(29|30)-(0[13-9]|1[0-2])|31-(0[13578]|1[02]))'
                    '-(19|2[01])[0-9]{2}|29-02-((19|2[01])(0[48]|[2468][048]|[13579][26])|2000))'
                    ' ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$'
                )
                THEN time_key
            END
        ) AS time_key
    FROM spelled_loan
    WHERE id_hash IN (SELECT id_hash FROM repeated_loan)
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
    FROM spelled_loan
    -- IS TRUE makes these look-ups in passing; as joins they would copy every row.
    WHERE (id_hash IN (SELECT id_hash FROM repeated_loan)) IS NOT TRUE  -- also where there is no loan_id
        AND (left(application_time, 10) IN (SELECT day_text FROM window_day)) IS TRUE
        AND (substr(application_time, 11, 6) IN (SELECT minute_text FROM clock_minute)) IS TRUE
        AND (substr(application_time, 17) IN (SELECT second_text FROM clock_second)) IS TRUE
        AND CASE
            WHEN left(application_time, 10) IN (SELECT day_text FROM window_day WHERE at_edge)
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
    SELECT id_hash
    FROM (
        SELECT hashtextextended(customer_id::text, 0) AS id_hash
        FROM customer_details
        WHERE customer_id IS NOT NULL
        ORDER BY id_hash
    ) AS sorted
    GROUP BY id_hash
    HAVING count(*) > 1
),

customer AS NOT MATERIALIZED (
    SELECT
        hashtextextended(customer_id::text, 0) AS id_hash,
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
    SELECT
        customer_id, home_ownership, annual_income, years_in_current_job, months_since_last_delinquent, no_of_cars,
        no_of_children, 1::bigint AS customer_records
    FROM customer
    WHERE (id_hash IN (SELECT id_hash FROM repeated_customer)) IS NOT TRUE
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
            count(*) OVER (PARTITION BY id_hash, customer_id) AS records,
            row_number() OVER (PARTITION BY id_hash, customer_id) AS position
        FROM (
            SELECT DISTINCT * FROM customer WHERE (id_hash IN (SELECT id_hash FROM repeated_customer)) IS TRUE
        ) AS version
    ) AS counted
    WHERE position = 1
),

repeated_credit AS MATERIALIZED (
    SELECT id_hash
    FROM (
        SELECT hashtextextended(customer_id::text, 0) AS id_hash
        FROM credit_details
        WHERE customer_id IS NOT NULL
        ORDER BY id_hash
    ) AS sorted
    GROUP BY id_hash
    HAVING count(*) > 1
),

credit AS NOT MATERIALIZED (
    SELECT
        hashtextextended(customer_id::text, 0) AS id_hash,
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
    SELECT
        customer_id, credit_score, monthly_debt, years_of_credit_history, no_of_open_accounts, no_of_credit_problems,
        current_credit_balance, max_open_credit, bankruptcies, 1::bigint AS credit_records
    FROM credit
    WHERE (id_hash IN (SELECT id_hash FROM repeated_credit)) IS NOT TRUE
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
            count(*) OVER (PARTITION BY id_hash, customer_id) AS records,
            row_number() OVER (PARTITION BY id_hash, customer_id) AS position
        FROM (
            SELECT DISTINCT * FROM credit WHERE (id_hash IN (SELECT id_hash FROM repeated_credit)) IS TRUE
        ) AS version
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
