"""The raw tables look as the lender's do, and every quirk is there."""

import re
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loanwatch.contract import default_contract
from loanwatch.errors import ContractError, WindowError
from loanwatch.simulator import Simulation, simulate, simulate_chunks


@pytest.fixture
def loans(month) -> pl.DataFrame:
    return month.tables["loan_details"]


@pytest.fixture
def customers(month) -> pl.DataFrame:
    return month.tables["customer_details"]


@pytest.fixture
def credit(month) -> pl.DataFrame:
    return month.tables["credit_details"]


def test_the_tables_have_the_contract_s_columns_in_its_order(month):
    contract = default_contract()
    for table in contract.tables:
        own = [c.name for c in contract.columns if c.table == table.name and c.name not in table.key]
        assert month.tables[table.name].columns == [*table.key, *own]


def test_times_are_text_within_opening_hours(loans):
    assert loans["application_time"].str.contains(r"^\d\d-01-2015 1[0-4]:[0-5]\d:00$").all()


def test_amounts_are_text_with_and_without_dollars(credit):
    debts = credit["monthly_debt"].drop_nulls()
    assert debts.str.contains(r"^(\$\d{1,3}(,\d{3})*\.\d\d|\d+\.\d\d|#VALUE!)$").all()
    assert 0.4 < debts.str.starts_with("$").mean() < 0.6
    limits = credit["max_open_credit"].drop_nulls()
    assert limits.str.contains(r"^(\$\d{1,3}(,\d{3})*|\d+|#VALUE!)$").all()
    assert limits.str.contains(r"^\$\d{1,3},\d{3},\d{3}$").any() or limits.str.len_chars().max() < 10


def test_spreadsheet_errors_occur():
    year = simulate(start=date(2015, 1, 1), end=date(2015, 7, 1), seed=1).tables["credit_details"]
    assert 0 < (year["monthly_debt"] == "#VALUE!").sum() < 40
    assert 0 < (year["max_open_credit"] == "#VALUE!").sum() < 40


def test_some_loan_rows_are_there_twice(loans):
    repeated = loans.height - loans["loan_id"].n_unique()
    assert 0.004 < repeated / loans.height < 0.02
    assert loans.unique().height == loans["loan_id"].n_unique()


def test_ambiguous_customers_have_two_or_three_different_records_in_both_tables(month):
    ambiguous = set(_customers_of(month, ambiguous=True))
    for table in ("customer_details", "credit_details"):
        records = month.tables[table].with_columns(pl.col(pl.String).str.to_lowercase())
        counts = records.unique().group_by("customer_id").len()
        assert set(counts.filter(pl.col("len") > 1)["customer_id"]) == ambiguous
        assert set(counts["len"].unique()) == {1, 2, 3}


def _customers_of(month: Simulation, *, ambiguous: bool) -> list[str]:
    who = month.truth.filter(pl.col("ambiguous") == ambiguous).select("loan_id")
    return who.join(month.tables["loan_details"].unique(), on="loan_id")["customer_id"].to_list()


def test_one_amount_in_eight_is_the_sentinel(loans, month):
    marked = month.truth.select("loan_id", "sentinel").join(loans.unique(), on="loan_id")
    assert ((marked["current_loan_amount"] == 99_999_999) == marked["sentinel"]).all()
    assert marked["sentinel"].mean() == pytest.approx(0.123, abs=0.02)


def test_one_score_in_ten_is_ten_times_too_large(credit):
    scores = credit["credit_score"].drop_nulls()
    assert (scores > 1_000).mean() == pytest.approx(0.10, abs=0.02)
    assert scores.filter(scores < 1_000).max() <= 751


def test_case_is_mixed_and_home_mortgages_have_a_second_spelling(loans, customers):
    assert {"Debt Consolidation", "debt consolidation", "major_purchase"} <= set(loans["purpose"])
    assert {"Loan Given", "loan given", "Loan Refused"} <= set(loans["loan_status"])
    spellings = set(customers["home_ownership"])
    assert {"Rent", "Home Mortgage", "Own Home", "HaveMortgage"} <= spellings
    assert {s.lower() for s in spellings} == {"rent", "home mortgage", "own home", "havemortgage"}


def test_missing_jobs_are_partly_written_out(customers):
    assert "n/a" in customers["years_in_current_job"].to_list()
    assert customers["years_in_current_job"].null_count() > 0


def test_identifiers_look_like_uuids_and_are_unique(month):
    loan_ids = month.truth["loan_id"]
    assert loan_ids.n_unique() == loan_ids.len()
    uuid = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$")
    assert all(uuid.match(i) for i in loan_ids)
    assert not set(loan_ids) & set(month.tables["loan_details"]["customer_id"])


PERIOD = {"start": date(2015, 1, 1), "end": date(2015, 1, 11)}


def test_the_same_seed_gives_the_same_tables():
    first, second = simulate(**PERIOD, seed=3), simulate(**PERIOD, seed=3)
    for table, frame in first.tables.items():
        assert_frame_equal(frame, second.tables[table])
    assert_frame_equal(first.truth, second.truth)


@pytest.mark.parametrize("other", [{**PERIOD, "seed": 4}, {"start": date(2015, 1, 2), "end": PERIOD["end"], "seed": 3}])
def test_another_seed_or_start_gives_other_identifiers(other):
    first, second = simulate(**PERIOD, seed=3), simulate(**other)
    assert not set(first.truth["loan_id"]) & set(second.truth["loan_id"])


def test_the_pieces_together_are_the_whole():
    period = {"start": date(2015, 1, 1), "end": date(2016, 1, 1), "seed": 1, "rows": 60_000}
    pieces, whole = list(simulate_chunks(**period)), simulate(**period)
    assert [p.truth.height for p in pieces] == [50_000, 10_000]
    assert_frame_equal(pl.concat([p.truth for p in pieces]), whole.truth)
    assert whole.truth["application_time"].is_sorted()
    assert whole.truth["loan_id"].n_unique() == 60_000


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"end": date(2015, 1, 1)}, WindowError, "start 2015-01-01 is not before end 2015-01-01"),
        ({"rows": 0}, ContractError, "at least one application, got 0"),
        ({"per_month": -3}, ContractError, "at least one application"),
        ({"seed": -1}, ContractError, "seed is a whole number"),
    ],
)
def test_impossible_requests_are_refused_at_once(change, error, message):
    with pytest.raises(error, match=message):
        simulate_chunks(**{**PERIOD, "seed": 1, **change})
