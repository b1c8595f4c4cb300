"""The real applications of 2015, which the project may read but not hold."""

import os
from pathlib import Path

import polars as pl
import pytest

from loanwatch.features import clean, engineer
from loanwatch.training import Split, train_candidate

FOLDER = Path(os.environ.get("LOANWATCH_TEST_DATA", Path(__file__).parents[4] / "shared" / "data")) / "loans_2015"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real loans are not at {FOLDER}")


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    """Join the tables as the extraction does; a customer with contradicting records joins as missing."""
    loans, customers, credit = (
        pl.read_csv(FOLDER / f"{name}_details.csv", infer_schema=False).unique(maintain_order=True)
        for name in ("loan", "customer", "credit")
    )
    customers, credit = (table.filter(pl.len().over("customer_id") == 1) for table in (customers, credit))
    latest = loans.unique("loan_id", keep="last", maintain_order=True)
    return latest.join(customers, on="customer_id", how="left").join(credit, on="customer_id", how="left")


def without_leaks(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.filter(
        pl.col("home_ownership").is_not_null(),
        pl.col("current_loan_amount").cast(pl.Float64) != 99_999_999,
        pl.col("credit_score").cast(pl.Float64).fill_null(0) <= 1_000,
    )


def halves(raw: pl.DataFrame, contract) -> Split:
    frame = engineer(clean(raw, contract).frame, contract).sort("application_time")
    cut = frame["application_time"][frame.height // 2]
    return Split(train=frame.filter(pl.col.application_time < cut), test=frame.filter(pl.col.application_time >= cut))


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_with_the_leaks_the_second_half_is_predicted_too_well(raw, contract, name):
    candidate = train_candidate(halves(raw, contract), contract, name, seed=0)
    assert 0.88 < candidate.test_auc < 0.93


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_without_the_leaking_rows_the_honest_figure_remains(raw, contract, name):
    candidate = train_candidate(halves(without_leaks(raw), contract), contract, name, seed=0)
    assert 0.75 < candidate.test_auc < 0.80
    assert candidate.train_auc - candidate.test_auc < 0.1
