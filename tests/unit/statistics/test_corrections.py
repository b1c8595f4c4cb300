import math

import numpy as np
import pytest
from scipy import stats

from loanwatch.statistics import (
    benjamini_hochberg,
    chi_square_p,
    chi_square_quantile,
    correlation_change,
    detectable_psi,
    g_test,
    normal_scores,
    proportion_change,
    psi,
    two_sided_p,
    two_sided_z,
)


def test_benjamini_hochberg_agrees_with_scipy():
    p = np.random.default_rng(3).uniform(0, 1, 50) ** 3
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_benjamini_hochberg_does_not_count_tests_that_were_not_made():
    adjusted = benjamini_hochberg([0.01, math.nan, 0.5])
    assert adjusted[0] == pytest.approx(0.02)
    assert math.isnan(adjusted[1])


def test_benjamini_hochberg_of_nothing_is_nothing():
    assert benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_benjamini_hochberg_refuses_what_is_no_p_value(bad):
    with pytest.raises(ValueError, match="p-values lie in"):
        benjamini_hochberg([0.5, bad])


def test_chi_square_agrees_with_scipy():
    assert chi_square_p(12.3, 5) == pytest.approx(stats.chi2.sf(12.3, 5))
    assert chi_square_quantile(0.9, 7) == pytest.approx(stats.chi2.ppf(0.9, 7))
    assert math.isnan(chi_square_p(1.0, 0))
    assert math.isnan(chi_square_p(math.nan, 3))


@pytest.mark.parametrize("p", [1.0, 0.3, 1e-8, 1e-200])
def test_two_sided_z_turns_two_sided_p_around(p):
    assert two_sided_p(two_sided_z(p)) == pytest.approx(p)


def test_normal_scores_of_a_symmetric_histogram_are_symmetric():
    scores = normal_scores([1, 5, 9, 5, 1])
    assert scores == pytest.approx(-scores[::-1])
    assert normal_scores([0, 0]).tolist() == [0.0, 0.0]


def test_small_shares_are_compared_by_fishers_test():
    found = proportion_change(3, 40, 9, 30)
    assert found.p_value == pytest.approx(stats.fisher_exact([[3, 37], [9, 21]]).pvalue)


def test_large_shares_are_compared_by_the_score_test():
    found = proportion_change(3_500, 10_000, 2_100, 5_000)
    exact = stats.chi2_contingency([[3_500, 6_500], [2_100, 2_900]], correction=False)
    assert found.p_value == pytest.approx(exact.pvalue)
    assert found.change == pytest.approx(0.07)
    assert found.lower < 0.07 < found.upper


def test_equal_shares_have_no_change():
    found = proportion_change(10, 100, 20, 200)
    assert found.change == 0.0
    assert found.p_value == pytest.approx(1.0)


@pytest.mark.parametrize("hits", [0, 100])
def test_shares_of_nothing_and_of_all_are_equal(hits):
    assert proportion_change(hits, 100, hits, 100).p_value == pytest.approx(1.0)


def test_a_share_of_no_rows_is_not_known():
    assert math.isnan(proportion_change(0, 0, 3, 10).p_value)


def test_a_share_cannot_have_more_hits_than_rows():
    with pytest.raises(ValueError, match="more hits than rows"):
        proportion_change(11, 10, 0, 10)


def test_dispersion_takes_certainty_from_a_share():
    plain, deflated = proportion_change(100, 500, 150, 500), proportion_change(100, 500, 150, 500, dispersion=4.0)
    assert two_sided_z(deflated.p_value) == pytest.approx(two_sided_z(plain.p_value) / 2)
    assert deflated.upper - deflated.lower == pytest.approx(2 * (plain.upper - plain.lower))


@pytest.mark.parametrize("n", [50, 400])
def test_proportion_change_keeps_its_level_without_drift(n):
    rng = np.random.default_rng(5)
    p = [
        proportion_change(int(rng.binomial(15_000, 0.35)), 15_000, int(rng.binomial(n, 0.35)), n).p_value
        for _ in range(3_000)
    ]
    assert np.mean(np.array(p) <= 0.05) < 0.06
    assert np.mean(np.array(p) <= 0.001) < 0.003


def test_a_correlation_compared_with_itself_has_not_changed():
    found = correlation_change(0.4, 100, 0.4, 50)
    assert (found.change, found.z, found.p_value) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("r", "n"), [(math.nan, 100), (0.5, 3)])
def test_a_correlation_that_is_not_known_is_not_compared(r, n):
    assert math.isnan(correlation_change(r, n, 0.5, 100).p_value)


def test_perfect_correlations_do_not_overflow():
    assert correlation_change(1.0, 100, -1.0, 100).p_value < 1e-12


def test_correlation_change_keeps_its_level_without_drift():
    rng, covariance = np.random.default_rng(8), [[1.0, 0.5], [0.5, 1.0]]
    p = []
    for _ in range(2_000):
        r, s = (np.corrcoef(rng.multivariate_normal([0, 0], covariance, n).T)[0, 1] for n in (400, 150))
        p.append(correlation_change(r, 400, s, 150).p_value)
    assert 0.035 < np.mean(np.array(p) <= 0.05) < 0.065


def test_the_detectable_psi_is_detected_four_times_in_five():
    rng = np.random.default_rng(9)
    size = detectable_psi(2, 3_000, 1_000, level=0.01)
    moved = next(s for s in np.arange(0.5, 0.7, 0.0005) if psi([50, 50], [100 * s, 100 * (1 - s)]) >= size)
    p = [
        g_test(rng.multinomial(3_000, [0.5, 0.5]), rng.multinomial(1_000, [moved, 1 - moved])).p_value
        for _ in range(2_000)
    ]
    assert np.mean(np.array(p) <= 0.01) == pytest.approx(0.8, abs=0.04)
