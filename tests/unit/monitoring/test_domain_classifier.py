"""What no column and no correlation shows: a dependence of two columns that changed."""

import numpy as np
import polars as pl
import pytest

from loanwatch.monitoring import Severity, Status, data_drift, profile_window


@pytest.fixture(scope="module")
def contract(one_table_contract):
    return one_table_contract(["points", "debt", "age"], ["town", "purpose"])


def window(seed, rows, *, planted=None, shift=0.0):
    """Five independent columns; planted, two of them depend on each other and keep their own distributions."""
    rng = np.random.default_rng(seed)
    points, debt, age = rng.normal(size=(3, rows))
    town, purpose = rng.choice(["rome", "oslo", "lima"], rows), rng.choice(["car", "home"], rows)
    if planted == "exclusive or":  # the sign of the product: no correlation of either with anything
        debt = np.where(rng.random(rows) < 0.5, np.sort(debt)[_matched(points, rng)], debt)
    if planted == "categories":
        follows = rng.random(rows) < 0.5
        town = np.where(follows & (purpose == "car"), "rome", np.where(follows, "oslo", town))
        town = np.where(rng.random(rows) < 1 / 3, "lima", np.where(town == "lima", rng.permutation(town), town))
    return pl.DataFrame({"points": points + shift, "debt": debt, "age": age, "town": town, "purpose": purpose})


def _matched(points, rng):
    """Ranks for another column: far from its middle where points are, on either side."""
    far = np.abs(points.argsort().argsort() / points.size - 0.5) + 0.01 * rng.random(points.size)
    ranks = np.abs(np.arange(points.size) / points.size - 0.5) + 0.01 * rng.random(points.size)
    matched = np.empty(points.size, dtype=int)
    matched[far.argsort()] = ranks.argsort()
    return matched


def check(reference, current, contract):
    first = profile_window(reference, contract)
    second = profile_window(current, contract, edges=first.edges)
    plain = data_drift.check(first, second, contract)
    return plain, data_drift.with_domain_classifier(plain, reference, current, contract)


def test_a_dependence_that_neither_columns_nor_correlations_show_is_found(contract):
    plain, full = check(window(0, 8_000), window(1, 5_000, planted="exclusive or"), contract)
    assert not plain.findings
    (found,) = full.findings
    assert set(found.details["columns"]) == {"points", "debt"}
    assert found.subject == "dataset"  # whichever pair shows it best: the next window may show it in another
    assert full.details["lingering"][found.check] == {"dataset": found.severity.word}
    assert found.severity >= Severity.LOW
    assert "depend on each other in another way" in full.summary
    assert found.measurements[0].lower > 0.5


def test_planted_dependence_is_named_in_nearly_every_pair(contract):
    named = 0
    for seed in range(15):
        _, full = check(window(2 * seed, 8_000), window(2 * seed + 1, 5_000, planted="exclusive or"), contract)
        named += any(set(f.details.get("columns", ())) == {"points", "debt"} for f in full.findings)
    assert named >= 14


def test_what_is_told_already_is_not_told_again(contract):
    moved = window(1, 5_000, planted="exclusive or", shift=0.6)
    plain, full = check(window(0, 8_000), moved, contract)
    assert [f.subject for f in plain.findings] == ["points"]
    assert full.findings == plain.findings
    assert "points" in full.details["domain_classifier"]["features"]
    assert full.measurements["domain_classifier"][0].value > 0.6


def test_without_drift_it_is_silent(contract):
    spoken = [
        f
        for seed in range(40)
        for f in check(window(2 * seed, 4_000), window(2 * seed + 1, 2_000), contract)[1].findings
        if f.check == "data_drift.dependence"
    ]
    assert len(spoken) <= 1


@pytest.mark.parametrize("rows", [0, 1, 50, 99])
def test_small_windows_are_left_alone(contract, rows):
    plain, full = check(window(0, 1_000), window(1, rows), contract)
    assert full == plain


def test_columns_without_values_and_constants_do_not_hinder(contract):
    frames = [
        window(s, 400).with_columns(debt=pl.lit(None, dtype=pl.Float64), age=1.0, town=pl.lit(None, dtype=pl.String))
        for s in (0, 1)
    ]
    _, full = check(*frames, contract)
    assert full.status is Status.PASS


def test_of_longer_windows_ten_thousand_rows_are_looked_at(contract):
    _, full = check(window(0, 10_001), window(1, 15_000), contract)
    seen = full.details["domain_classifier"]
    assert (seen["rows_reference"], seen["rows_current"]) == (10_000, 10_000)
