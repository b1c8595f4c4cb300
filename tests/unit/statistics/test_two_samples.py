import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import ndtr

from loanwatch.statistics import (
    block_dispersion,
    expected_psi,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    ordered_block_dispersion,
    pool_sparse,
    psi,
    wasserstein,
)

HISTOGRAM_STATISTICS = {
    "psi": psi,
    "jensen_shannon": jensen_shannon,
    "kolmogorov_smirnov": lambda a, b: kolmogorov_smirnov(a, b).distance,
    "wasserstein": lambda a, b: wasserstein(a, b, np.arange(len(a) + 1.0)),
    "g": lambda a, b: g_test(a, b).statistic,
}


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("statistic", HISTOGRAM_STATISTICS.values(), ids=HISTOGRAM_STATISTICS)
class TestEveryHistogramStatistic:
    def test_is_zero_for_equal_shares(self, statistic):
        assert statistic([10, 20, 30], [20, 40, 60]) == pytest.approx(0.0, abs=1e-12)

    def test_is_positive_when_shares_differ(self, statistic):
        assert statistic([10, 20, 30], [30, 20, 10]) > 0.1

    def test_is_nan_for_an_empty_window(self, statistic):
        assert math.isnan(statistic([0, 0, 0], [1, 2, 3]))
        assert math.isnan(statistic([1, 2, 3], [0, 0, 0]))

    @pytest.mark.parametrize("bad", [[1, -1, 2], [1, math.nan, 2], [1, math.inf, 2], [1, 2]])
    def test_refuses_counts_that_are_none(self, statistic, bad):
        with pytest.raises(ValueError, match="counts must be"):
            statistic([1, 2, 3], bad)


def test_psi_is_the_sum_by_hand():
    by_hand = (0.4 - 0.5) * math.log(0.4 / 0.5) + (0.6 - 0.5) * math.log(0.6 / 0.5)
    assert psi([50, 50], [40, 60]) == pytest.approx(by_hand)


def test_psi_with_an_empty_bin_stays_moderate():
    assert psi([100, 100, 1], [100, 100, 0]) < 0.01
    assert math.isfinite(psi([100, 0], [0, 100]))


def test_psi_ignores_bins_empty_on_both_sides():
    assert psi([50, 0, 50], [40, 0, 60]) == pytest.approx(psi([50, 50], [40, 60]))


def test_psi_without_drift_is_on_average_what_is_expected(rng):
    shares = np.full(10, 0.1)
    values = [psi(rng.multinomial(2_000, shares), rng.multinomial(1_000, shares)) for _ in range(2_000)]
    assert np.mean(values) == pytest.approx(expected_psi(10, 2_000, 1_000), rel=0.05)


def test_jensen_shannon_agrees_with_scipy(rng):
    a, b = rng.integers(0, 50, 12), rng.integers(0, 50, 12)
    assert jensen_shannon(a, b) == pytest.approx(jensenshannon(a, b, base=2))


def test_kolmogorov_smirnov_agrees_with_scipy_when_every_value_has_a_bin(rng):
    a, b = rng.integers(0, 30, 500), rng.integers(2, 30, 300)
    found = kolmogorov_smirnov(np.bincount(a, minlength=30), np.bincount(b, minlength=30))
    exact = stats.ks_2samp(a, b, method="asymp")
    assert found.distance == pytest.approx(exact.statistic)
    assert found.p_value == pytest.approx(stats.kstwobign.sf(found.distance * math.sqrt(500 * 300 / 800)))


def test_wasserstein_agrees_with_scipy_when_bins_are_points(rng):
    a, b = rng.integers(0, 30, 500), rng.integers(2, 35, 300)
    points = np.arange(36.0)
    boundaries = np.sort(np.concatenate([points, np.nextafter(points, -np.inf)]))
    counts = [np.bincount(2 * x, minlength=71) for x in (a, b)]
    assert wasserstein(*counts, boundaries) == pytest.approx(stats.wasserstein_distance(a, b))


def test_wasserstein_with_crossing_lines_is_two_triangles():
    # F - G falls from +1/2 to -1/2 inside the middle bin: two triangles of 1/8 there, 1/4 on either side.
    assert wasserstein([2, 0, 2], [0, 4, 0], [0.0, 1.0, 2.0, 3.0]) == pytest.approx(0.75)


def test_wasserstein_needs_a_scale_and_fitting_boundaries():
    assert math.isnan(wasserstein([1, 2], [2, 1], [0.0, 1.0, 2.0], scale=0.0))
    with pytest.raises(ValueError, match="need 3 boundaries"):
        wasserstein([1, 2], [2, 1], [0.0, 1.0])


def test_g_agrees_with_scipy_before_williams_correction():
    table = np.array([[100, 200, 300], [120, 150, 330]])
    exact = stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)
    found = g_test(*table)
    assert found.statistic == pytest.approx(exact.statistic, rel=0.01)
    assert found.statistic < exact.statistic
    assert found.degrees_of_freedom == exact.dof


def test_dispersion_divides_g_and_raises_the_p_value():
    plain, deflated = g_test([100, 200], [150, 150]), g_test([100, 200], [150, 150], dispersion=2.0)
    assert deflated.statistic == pytest.approx(plain.statistic / 2)
    assert deflated.p_value > plain.p_value
    assert (
        kolmogorov_smirnov([100, 200], [150, 150], dispersion=2.0).p_value
        > kolmogorov_smirnov([100, 200], [150, 150]).p_value
    )


def test_g_of_a_constant_column_has_no_test():
    assert math.isnan(g_test([100, 0], [50, 0]).p_value)


@pytest.mark.parametrize("n_current", [50, 200, 5_000])
def test_g_keeps_its_level_without_drift(rng, n_current):
    shares = np.array([0.6, 0.2, 0.1, 0.05, 0.03, 0.01, 0.01])
    p = [g_test(rng.multinomial(15_000, shares), rng.multinomial(n_current, shares)).p_value for _ in range(3_000)]
    assert 0.03 < np.mean(np.array(p) <= 0.05) < 0.07


def test_g_finds_a_moved_mix(rng):
    before, after = np.array([0.5, 0.3, 0.2]), np.array([0.45, 0.35, 0.2])
    p = [g_test(rng.multinomial(5_000, before), rng.multinomial(3_000, after)).p_value for _ in range(100)]
    assert np.mean(np.array(p) < 0.001) > 0.8


def test_pooling_keeps_every_row():
    first, second = pool_sparse([1_000, 3, 2, 1, 500], [100, 0, 1, 0, 40])
    assert first.sum() == 1_506
    assert second.sum() == 141
    assert first.size == 2  # the sparse bins together are still sparse, and take the smaller of the others in


def test_blocks_of_independent_days_are_hardly_overdispersed(rng):
    found = [block_dispersion(rng.multinomial(150, [0.5, 0.3, 0.2], size=120)) for _ in range(50)]
    assert np.mean(found) < 1.15


def test_a_weekday_that_differs_is_seen_in_days_and_not_in_weeks(rng):
    shares = [[0.2, 0.8] if day % 7 == 0 else [0.5, 0.5] for day in range(140)]
    days = np.array([rng.multinomial(150, p) for p in shares])
    assert block_dispersion(days, block_days=1) > 5
    assert block_dispersion(days, block_days=7) < 2


@pytest.mark.parametrize("reference_days", [28, 84])
def test_a_day_like_the_days_before_is_rarely_remarkable_where_their_level_wavers(rng, reference_days):
    def p_value():
        levels = 0.2 * rng.normal(size=reference_days + 1)
        days = np.array([rng.multinomial(2_000, np.diff(ndtr(np.linspace(-2.5, 2.5, 11) - at))) for at in levels])
        before, last = days[:-1].sum(axis=0), days[-1]
        statistic = stats.chi2_contingency([before, last]).statistic
        return stats.chi2.sf(statistic / block_dispersion(days[:-1]), 9)

    p = np.array([p_value() for _ in range(400)])
    assert np.mean(p < 0.001) <= 0.01
    assert np.mean(p < 0.05) > 0.001  # nor is everything excused


def test_the_tail_of_few_blocks_is_that_of_satterthwaites_distribution():
    days = np.array([[700, 300], [300, 700], [500, 500], [520, 480], [480, 520], [510, 490]])
    statistics = [stats.chi2_contingency([day, days.sum(axis=0) - day], correction=False).statistic for day in days]
    expected = np.mean(statistics) * stats.f.ppf(0.999, 1, 5) / stats.chi2.ppf(0.999, 1)
    assert block_dispersion(days) == pytest.approx(expected)


@pytest.mark.parametrize("days", [np.zeros((0, 3)), np.zeros((10, 3)), np.full((3, 2), 50), np.full((20, 1), 50)])
def test_dispersion_is_one_where_nothing_can_be_learnt(days):
    assert block_dispersion(days) == 1.0


def weeks(rng, n_days, rows=60, weekend=0.5):
    """Rows of each day in ten ordered bins; weekends have half as many, shifted by `weekend` standard deviations."""
    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    days = []
    for day in range(n_days):
        is_weekend = day % 7 > 4
        values = rng.normal(weekend * is_weekend, 1.0, rng.poisson(rows / (1 + is_weekend)))
        days.append(np.bincount(np.searchsorted(edges, values), minlength=10))
    return np.array(days), np.arange(n_days) % 7


@pytest.mark.parametrize("rows", [60, 300])
def test_a_weekend_is_no_drift_where_the_reference_had_weekends(rows):
    alarms, raw, windows = 0, 0, 200
    for seed in range(windows):
        rng = np.random.default_rng(seed)
        days, weekday = weeks(rng, 56, rows)
        now = weeks(rng, 7, rows)[0][5:].sum(axis=0)
        factor = ordered_block_dispersion(days, block_days=2, weekday=weekday)
        alarms += kolmogorov_smirnov(days.sum(axis=0), now, dispersion=factor).p_value < 0.01
        raw += kolmogorov_smirnov(days.sum(axis=0), now).p_value < 0.01
    assert raw > 0.3 * windows
    assert alarms <= 0.1 * windows


def test_weekdays_that_are_alike_cost_no_power():
    found = []
    for seed in range(200):
        days, weekday = weeks(np.random.default_rng(seed), 56, weekend=0.0)
        found.append(ordered_block_dispersion(days, block_days=2, weekday=weekday))
    assert np.mean(np.array(found) > 1.0) <= 0.05


def test_whole_weeks_are_spared_the_weekdays():
    days, weekday = weeks(np.random.default_rng(0), 84, rows=300, weekend=1.0)
    assert ordered_block_dispersion(days, block_days=7, weekday=weekday) < 1.5
    assert ordered_block_dispersion(days, block_days=2, weekday=weekday) > 5
