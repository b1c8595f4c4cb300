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
