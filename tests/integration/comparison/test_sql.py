import json

import pytest

import loanwatch
from loanwatch.errors import LoanwatchError


@pytest.fixture
def tables(database):
    with database.connect() as connection:
        connection.execute(
            "CREATE TABLE before AS SELECT i AS id, (i * 7919 % 1000)::numeric(10, 2) AS amount, "
            "CASE WHEN i % 3 = 0 THEN 'rome' ELSE 'oslo' END AS town FROM generate_series(1, 5000) AS i"
        )
        connection.execute("CREATE TABLE after AS SELECT id, amount * 3 AS amount, town FROM before WHERE id % 2 = 0")
    return database


def test_tables_and_queries_are_compared(tables):
    found = loanwatch.compare("sql:before", "sql:SELECT amount, town, id FROM after", database=tables)
    assert (found.reference_rows, found.current_rows) == (5_000, 2_500)
    assert {f.subject for f in found.findings} == {"amount"}
    assert found.drifted
    assert any("id is not compared" in line for line in found.limitations)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sql:nothing_there", "nothing_there"),
        ("sql:DROP TABLE before", "neither a table's name nor a SELECT"),
        ("sql:SELECT amount, amount FROM before", "two columns called 'amount'"),
        ("sql:WITH gone AS (DELETE FROM before RETURNING *) SELECT * FROM gone", "read-only"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tables, source, words):
    with pytest.raises(LoanwatchError) as caught:
        loanwatch.compare("sql:before", source, database=tables)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    with tables.connect() as connection:
        assert connection.execute("SELECT count(*) FROM before").fetchone() == (5_000,)


def test_without_a_database_a_query_is_refused():
    with pytest.raises(LoanwatchError, match="no database is given"):
        loanwatch.compare("sql:before", "sql:after")


TYPES = {
    "uuid": "md5(i::text)::uuid",
    "json": "json_build_object('a', i % 3)",
    "interval": "make_interval(months => 1, days => i % 5)",
    "array": "ARRAY[i, 1]",
    "inet": "'10.0.0.1'::inet",
    "money": "(i % 9)::money",
    "not a number": "CASE WHEN i % 3 = 0 THEN 'NaN'::numeric ELSE i END",
    "infinite numeric": "CASE WHEN i % 3 = 0 THEN 'Infinity'::numeric ELSE i END",
    "huge numeric": "(10::numeric ^ 100) * (i % 4)",
    "infinite date": "CASE WHEN i % 3 = 0 THEN 'infinity'::date ELSE '2020-01-01' END",
    "infinite time": "CASE WHEN i % 3 = 0 THEN '-infinity'::timestamptz ELSE '2020-01-01' END",
    "before Christ": "'0044-03-15 BC'::date",
    "bytes": "decode('ff00', 'hex')",
    "bits": "B'101'",
    "range": "int4range(i, i + 1)",
    "padded": "'a'::char(5)",
    "nothing": "NULL",
    "clock": "'10:00'::time",
    "record": "ROW(i, 'a')",
    "enumeration": "(CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END)::mood",
}


def outcome(source, database, **roles):
    """Return what was found, all of it rendered, or the one line that says why nothing was."""
    try:
        found = loanwatch.compare(source, source, database=database, **roles)
    except LoanwatchError as error:
        return str(error)
    json.dumps(found.to_dict(), allow_nan=False)
    found.to_html()
    return found


@pytest.mark.parametrize("values", TYPES.values(), ids=TYPES)
def test_a_column_of_any_type_gets_a_report_or_one_line(tables, values):
    with tables.connect() as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('a', 'b')")
    source = f"sql:SELECT i % 17 AS x, {values} AS odd FROM generate_series(1, 200) AS i"
    for role in (None, "label", "score", "time"):
        found = outcome(source, tables, **({role: "odd"} if role else {}))
        assert "\n" not in found if isinstance(found, str) else not found.drifted


@pytest.mark.parametrize(
    "source",
    [
        "sql:seen",
        "sql:public.before",
        'sql:"My Schema"."A ""table"""',
        "sql:SELECT * FROM before -- all of it",
        "sql:WITH b AS (SELECT * FROM before) SELECT * FROM b;",
        "sql:SELECT id, amount, town FROM before WHERE town LIKE '%o%'",
    ],
)
def test_views_schemas_and_quoted_names_are_read(tables, source):
    with tables.connect() as connection:
        connection.execute("CREATE VIEW seen AS SELECT * FROM before")
        connection.execute('CREATE SCHEMA "My Schema"')
        connection.execute('CREATE TABLE "My Schema"."A ""table""" AS SELECT * FROM before')
    found = loanwatch.compare("sql:before", source, database=tables)
    assert (found.current_rows, found.drifted) == (5_000, False)


@pytest.mark.parametrize("made", ["CREATE TABLE empty ()", "CREATE TABLE empty (amount int)"])
def test_a_table_without_rows_or_columns_is_compared(tables, made):
    with tables.connect() as connection:
        connection.execute(made)
    found = loanwatch.compare("sql:before", "sql:empty", database=tables)
    assert found.current_rows == 0
    assert any("no rows" in line for line in found.reports["columns"].limitations)
