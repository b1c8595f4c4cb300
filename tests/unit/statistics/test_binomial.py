"""Intervals for shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from loanwatch.statistics.binomial import clopper_pearson, exact_binomial_p_value, wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 7), (7, 7), (412, 1_000)])
def test_intervals_agree_with_scipy(successes, trials):
    test = binomtest(successes, trials)
    for ours, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        found, wanted = ours(successes, trials), test.proportion_ci(method=method)
        assert (found.lower, found.upper) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@given(st.integers(1, 500), st.data())
def test_a_share_lies_in_its_interval(trials, data):
    successes = data.draw(st.integers(0, trials))
    for interval in (clopper_pearson, wilson):
        found = interval(successes, trials)
        assert 0.0 <= found.lower <= found.value <= found.upper <= 1.0


def test_no_trials_give_nan():
    assert np.isnan(clopper_pearson(0, 0).value)
    assert np.isnan(wilson(0, 0).upper)
    assert exact_binomial_p_value(0, 0, 0.5) == 1.0


def test_p_value_doubles_the_smaller_tail():
    assert exact_binomial_p_value(2, 20, 0.3) == pytest.approx(2 * binom.cdf(2, 20, 0.3))
    assert exact_binomial_p_value(12, 20, 0.3) == pytest.approx(2 * binom.sf(11, 20, 0.3))
    assert exact_binomial_p_value(6, 20, 0.3) == 1.0


def test_exact_interval_covers_at_least_95_percent_everywhere():
    for share in np.linspace(0.01, 0.99, 25):
        counts = np.arange(31)
        found = [clopper_pearson(int(k), 30) for k in counts]
        covered = np.array([f.lower <= share <= f.upper for f in found])
        assert binom.pmf(counts, 30, share)[covered].sum() >= 0.95
