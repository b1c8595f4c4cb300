"""What stands for a value that is not known: sentinels, words and blanks."""

import numpy as np
import polars as pl
import pytest

import loanwatch


@pytest.mark.parametrize("sentinel", [99_999_999, -999])
def test_sentinels_are_found_and_counted_apart(sentinel):
    rng = np.random.default_rng(0)
    amounts = [rng.integers(1_000, 50_000, 3_000) for _ in range(2)]
    amounts[1][:600] = sentinel
    found = loanwatch.compare(*(pl.DataFrame({"amount": a}) for a in amounts))
    assert any(f"{sentinel:,} is taken to mean" in line for line in found.limitations)
    measured = {m.name: m.value for m in found.reports["data_drift"].measurements["amount"]}
    assert measured["missing_rate_change"] == pytest.approx(0.2)
    assert measured["kolmogorov_smirnov"] < 0.06


def test_nines_within_the_range_are_no_sentinel():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.integers(0, 1_200, 3_000), np.full(50, 999)])
    assert loanwatch.compare(pl.DataFrame({"x": values}), pl.DataFrame({"x": values})).limitations == ()


def test_a_blank_is_no_category_of_its_own():
    told, blank = (pl.DataFrame({"town": ["rome", "oslo", word] * 200}) for word in (None, "  "))
    found = loanwatch.compare(told, blank)
    assert found.findings == ()
    assert "town: a blank is taken to mean “not known”." in found.limitations


def test_minus_one_below_counts_is_not_known_and_a_code_among_few_is_none():
    rng = np.random.default_rng(1)
    counts, flags = rng.poisson(3, 2_000), rng.choice([-1, 0, 1], 2_000)
    frame = pl.DataFrame({"count": np.where(rng.random(2_000) < 0.1, -1, counts), "flag": flags})
    assert loanwatch.compare(frame, frame).limitations == ("count: -1 is taken to mean “not known”.",)
