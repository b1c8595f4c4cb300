"""What `simulate_features` promises."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loanwatch.contract import default_contract
from loanwatch.errors import ContractError
from loanwatch.simulator import FeatureShift, simulate_features


def test_the_twenty_predictors_come_first_in_the_order_of_the_contract_s_publication():
    frame = simulate_features(200, seed=1)
    assert set(frame.columns[:20]) == {c.name for c in default_contract().predictors}
    assert frame.columns[20:] == ["label", "probability", "application_time"]
    assert frame.schema["application_time"] == pl.Datetime("us", "UTC")


def test_categories_are_spelt_as_the_contract_orders_them():
    frame = simulate_features(5_000, seed=1)
    for name in ("term", "home_ownership", "years_in_current_job"):
        assert set(frame[name].drop_nulls().unique()) == set(default_contract().column(name).order)


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others():
    assert_frame_equal(simulate_features(500, seed=7), simulate_features(500, seed=7))
    assert not simulate_features(500, seed=7).equals(simulate_features(500, seed=8))


def test_an_event_changes_only_the_column_it_is_about():
    calm = simulate_features(2_000, seed=7)
    moved = simulate_features(2_000, seed=7, events=[FeatureShift(column="annual_income", factor=1.1)])
    untouched = [c for c in calm.columns if c not in ("annual_income", "label", "probability")]
    assert_frame_equal(calm.select(untouched), moved.select(untouched))
    assert moved["annual_income"].mean() == pytest.approx(1.1 * calm["annual_income"].mean(), rel=1e-4)


def test_the_rows_are_in_order_of_time():
    assert simulate_features(3_000, seed=1)["application_time"].is_sorted()


@pytest.mark.parametrize(("rows", "seed"), [(0, 1), (-5, 1), (10, -1)])
def test_impossible_sizes_and_seeds_are_refused(rows, seed):
    with pytest.raises(ContractError, match="simulate: "):
        simulate_features(rows, seed=seed)
