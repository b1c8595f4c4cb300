"""Two samples of one law: data whose oddities are no drift, and the same oddities with a change."""

import numpy as np
import polars as pl
import pytest

from loanwatch.comparison import compare


def rare_words(rng, rows):
    return pl.DataFrame({"word": [f"w{v}" for v in rng.geometric(0.02, rows).tolist()], "x": rng.normal(size=rows)})


@pytest.mark.parametrize(("before", "now"), [(300, 300), (2_000, 2_000), (300, 4_000)])
def test_categories_too_rare_for_the_reference_are_no_drift(before, now):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found = compare(rare_words(rng, before), rare_words(rng, now))
        assert not found.drifted, found.summary


def test_a_new_category_among_many_rare_ones_is_drift():
    rng = np.random.default_rng(0)
    before, now = rare_words(rng, 2_000), rare_words(rng, 2_000)
    new = pl.Series(rng.random(2_000) < 0.2)
    found = compare(before, now.with_columns(word=pl.when(new).then(pl.lit("new")).otherwise("word")))
    assert found.drifted
    assert "new" in found.findings[0].sentence


def seldom(rng, rows):
    values = np.where(rng.random(rows) < 0.01, rng.normal(50, 9, rows), 0.0)
    return pl.DataFrame({"seldom": values, "x": rng.normal(size=rows)})


def test_a_small_window_without_a_rare_value_is_not_stuck():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert not compare(seldom(rng, 15_000), seldom(rng, 200)).findings


def test_a_long_window_without_it_is():
    rng = np.random.default_rng(0)
    stuck = seldom(rng, 5_000).with_columns(seldom=pl.lit(0.0))
    found = compare(seldom(rng, 15_000), stuck)
    assert any(f.check == "data_quality.constant" and f.subject == "seldom" for f in found.findings)


def test_twins_by_chance_in_a_window_smaller_than_the_reference_are_no_finding():
    def table(seed, rows):
        rng = np.random.default_rng(seed)
        columns = {f"c{i}": rng.poisson(0.7, rows) for i in range(6)}
        return pl.DataFrame(columns | {"paid": (rng.random(rows) < 0.6).astype(int)})

    for seed in range(5):
        found = compare(table(2 * seed, 15_000), table(2 * seed + 1, 200), label="paid")
        assert not [f for f in found.findings if f.check == "data_quality.conflicting_labels"]


def test_a_weak_score_that_stays_as_weak_is_no_drift():
    def table(seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=4_000)
        p = 1 / (1 + np.exp(-0.5 * x))
        return pl.DataFrame({"x": x, "p": p, "y": (rng.random(4_000) < p).astype(int)})

    assert not compare(table(0), table(1), label="y", score="p").drifted
