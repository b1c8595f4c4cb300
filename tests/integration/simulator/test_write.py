"""Simulated applications in PostgreSQL, and back through extraction query and cleaning."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loanwatch.contract import default_contract
from loanwatch.errors import LoadError, SourceError
from loanwatch.etl import extract_window
from loanwatch.features import clean, engineer
from loanwatch.simulator import FeatureShift, NullFeed, RelationChange, simulate, simulate_chunks, write
from loanwatch.simulator.batch import PREDICTORS

MONTH = {"start": date(2015, 1, 1), "end": date(2015, 2, 1), "seed": 5}


@pytest.fixture
def extracted(database, tmp_path):
    """Return the cleaned applications of [start, end)."""
    contract = default_contract()

    def extract(start: datetime, end: datetime) -> pl.DataFrame:
        snapshot = tmp_path / "window.parquet"
        extract_window(database, contract, start=start, end=end, destination=snapshot)
        return engineer(clean(pl.read_parquet(snapshot), contract).frame, contract)

    return extract


def count(database, table) -> int:
    with database.connect() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_extraction_and_cleaning_give_back_the_truth(database, extracted):
    month = simulate(**MONTH, events=[FeatureShift(column="annual_income", factor=1.2)])
    write(database, month)
    found = extracted(datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC))
    columns = ["loan_id", "application_time", *PREDICTORS]
    assert_frame_equal(
        found.select(columns).sort("loan_id"),
        month.truth.select(columns).sort("loan_id"),
        check_exact=False,
        rel_tol=1e-9,
    )
    labels = found.select("loan_id", pl.col("loan_status") == "loan given").sort("loan_id")["loan_status"]
    assert labels.equals(month.truth.sort("loan_id")["label"].alias("loan_status"))


def test_a_broken_feed_reaches_the_source(database, extracted):
    month = simulate(**MONTH, events=[NullFeed(column="credit_score", share=1)])
    write(database, month)
    found = extracted(datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC))
    assert found["credit_score"].null_count() == found.height
    assert month.truth["credit_score"].null_count() < found.height


def test_the_tables_are_made_as_the_contract_says(database):
    written = write(database, simulate(**MONTH))
    with database.connect() as connection:
        types = dict(
            connection.execute(
                "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns"
                " WHERE table_name IN ('loan_details', 'customer_details', 'credit_details')"
            ).fetchall()
        )
    assert types["loan_details.application_time"] == "text"
    assert types["loan_details.current_loan_amount"] == "numeric"
    assert types["credit_details.monthly_debt"] == "text"
    assert types["customer_details.annual_income"] == "double precision"
    for table, rows in written.items():
        assert count(database, table) == rows


def test_another_seed_adds_to_what_is_there_without_clashing(database):
    first, second = simulate(**MONTH), simulate(**{**MONTH, "seed": 6})
    write(database, first)
    write(database, second)
    both = first.tables["loan_details"].height + second.tables["loan_details"].height
    assert count(database, "loan_details") == both
    assert count(database, "(SELECT DISTINCT loan_id FROM loan_details) AS d") == 2 * first.truth.height


def test_the_same_applications_again_are_refused_and_nothing_is_written(database):
    month = simulate(**MONTH)
    write(database, month)
    with pytest.raises(LoadError, match=r"is in loan_details already: .*take another seed"):
        write(database, month)
    assert count(database, "loan_details") == month.tables["loan_details"].height


def test_replace_leaves_only_the_new_applications(database):
    write(database, simulate(**MONTH))
    calm = simulate(**{**MONTH, "seed": 6})
    write(database, calm, replace=True)
    assert count(database, "credit_details") == calm.tables["credit_details"].height


def test_a_failure_half_way_writes_nothing(database):
    def breaking():
        yield from simulate_chunks(**MONTH, rows=60_000)
        raise RuntimeError("out of ideas")

    with pytest.raises(RuntimeError, match="out of ideas"):
        write(database, breaking())
    with database.connect() as connection:
        assert connection.execute("SELECT to_regclass('loan_details')").fetchone() == (None,)


def test_progress_counts_applications(database):
    told = []
    write(database, simulate_chunks(**MONTH, rows=60_000), progress=told.append)
    assert told == [50_000, 60_000]


def test_a_table_with_other_columns_is_named(database):
    with database.connect() as connection:
        connection.execute("CREATE TABLE loan_details (loan_id text)")
    with pytest.raises(SourceError, match="customer_id"):
        write(database, simulate(**MONTH))
    assert count(database, "loan_details") == 0


def test_the_relation_that_was_planted_is_in_the_labels_of_the_source(database, extracted):
    flip = RelationChange(column="home_ownership", strength=-1, start=date(2015, 2, 1))
    write(database, simulate(start=date(2015, 1, 1), end=date(2015, 3, 1), seed=5, events=[flip]))
    rates = []
    for first, last in ((1, 2), (2, 3)):
        window = extracted(datetime(2015, first, 1, tzinfo=UTC), datetime(2015, last, 1, tzinfo=UTC))
        given = window.group_by("home_ownership").agg((pl.col("loan_status") == "loan given").mean())
        rates.append(dict(given.rows()))
    assert rates[0]["own home"] > rates[0]["rent"] + 0.1
    assert rates[1]["own home"] < rates[1]["rent"] - 0.1
