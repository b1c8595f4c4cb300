from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from loanwatch.features import clean, engineer


def engineered(contract, **columns: list) -> pl.DataFrame:
    return engineer(clean(pl.DataFrame(columns), contract).frame, contract)


def test_ratio_difference_and_product_are_computed(cars):
    frame = engineered(cars, price=[3.0, 8.0], wage=[2.0, 4.0])
    assert frame.select("strain", "slack", "area").rows() == [(1.5, -1.0, 6.0), (2.0, -4.0, 32.0)]


@pytest.mark.parametrize("others", [[], [1.0]])
def test_a_division_by_zero_and_a_missing_part_give_null(cars, others):
    for price, wage in ((3.0, 0.0), (0.0, 0.0), (None, 1.0), (1.0, None)):
        frame = engineered(cars, price=[price, *others], wage=[wage, *others])
        assert frame["strain"][0] is None


def test_a_result_that_overflows_is_null(cars):
    for others in ([], [1.0]):
        assert engineered(cars, price=[1e300, *others], wage=[1e300, *others])["area"][0] is None


def test_a_constant_divisor_divides_like_any_other(cars):
    prices = np.random.default_rng(0).uniform(1, 1e4, 500)
    raw = pl.DataFrame({"price": prices}).with_columns(wage=pl.lit(3.0))
    assert (engineer(clean(raw, cars).frame, cars)["strain"].to_numpy() == prices / 3.0).all()


@pytest.mark.parametrize(
    ("day", "week", "season"),
    [
        ("2024/12/30", 1, 1),
        ("2024/02/29", 9, 1),
        ("2024/03/01", 9, 2),
        ("2024/08/31", 35, 3),
        ("2024/11/30", 48, 4),
        ("2021/01/03", 53, 1),
    ],
)
def test_weeks_are_iso_weeks_and_december_begins_the_first_season(cars, day, week, season):
    assert engineered(cars, asked_at=[day]).select("week", "season").row(0) == (week, season)
    assert engineered(cars, asked_at=[day, None]).select("week", "season").rows() == [(week, season), (None, None)]


def test_the_loan_contract_gets_its_calendar(loans):
    frame = engineered(loans, application_time=[datetime(2015, 4, 16, 10, tzinfo=UTC)])
    parts = ["year", "month", "week", "day", "season"]
    assert frame.select(f"application_{part}" for part in parts).row(0) == (2015, 4, 16, 16, 2)


def test_engineered_columns_are_numbers_and_only_those_of_the_contract(cars):
    for rows in (0, 1, 2):
        raw = pl.DataFrame({"price": [1.0] * rows}, schema={"price": pl.Float64})
        cleaned = clean(raw, cars).frame
        frame = engineer(cleaned, cars)
        added = [e.name for e in cars.engineered]
        assert frame.columns == [*cleaned.columns, *added]
        assert all(frame[name].dtype == pl.Float64 for name in added)


def test_engineering_again_replaces_what_was_there(cars):
    for rows in (1, 3):
        once = engineered(cars, price=[3.0] * rows, wage=[2.0] * rows)
        assert engineer(once, cars).equals(once)


def test_a_contract_without_engineered_columns_changes_nothing(cars):
    plain = replace(cars, engineered=())
    frame = clean(pl.DataFrame({"price": [1.0]}), plain).frame
    assert engineer(frame, plain).equals(frame)
