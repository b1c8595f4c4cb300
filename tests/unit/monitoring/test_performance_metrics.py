"""The fifteen performance figures."""

import time

import numpy as np
import pytest

from loanwatch.errors import LoanwatchError
from loanwatch.monitoring.performance import PERFORMANCE_METRICS, measure_performance
from loanwatch.statistics.average_precision import average_precision
from loanwatch.statistics.calibration import calibration_error
from loanwatch.statistics.confusion import confusion
from loanwatch.statistics.ks_score import ks_score


def drawn(seed, rows):
    generator = np.random.default_rng(seed)
    probability = generator.beta(3, 1.5, rows)
    return generator.random(rows) < probability, probability


def by_name(measurements):
    return {m.name: m for m in measurements}


def test_every_figure_is_there_in_order_with_its_interval():
    found = measure_performance(*drawn(0, 2_000))
    assert tuple(m.name for m in found) == PERFORMANCE_METRICS
    for m in found:
        assert m.lower is not None, m.name
        assert m.lower <= m.value <= m.upper, m.name
        assert m.n_current == 2_000
        assert all(type(v) is float for v in (m.value, m.lower, m.upper))


def test_hand_computed_figures():
    label = np.array([True, True, False, False])
    found = by_name(measure_performance(label, np.array([0.9, 0.5, 0.6, 0.1])))
    assert found["auc"].value == 0.75
    assert found["gini"].value == 0.5
    assert found["accuracy"].value == 0.75
    assert found["precision"].value == pytest.approx(2 / 3)
    assert found["recall"].value == 1.0
    assert found["f1"].value == pytest.approx(0.8)
    assert found["approval_rate"].value == 0.75
    assert found["base_rate"].value == 0.5
    assert found["brier"].value == pytest.approx((0.01 + 0.25 + 0.36 + 0.01) / 4)


def test_a_probability_at_the_threshold_is_a_positive_decision():
    label, probability = np.array([True, False]), np.array([0.4, 0.39])
    assert by_name(measure_performance(label, probability, threshold=0.4))["accuracy"].value == 1.0


def test_the_seed_fixes_the_intervals_and_intervals_can_be_left_out():
    label, probability = drawn(1, 500)
    assert measure_performance(label, probability, seed=3) == measure_performance(label, probability, seed=3)
    bare = measure_performance(label, probability, with_intervals=False)
    assert all(m.lower is None and m.upper is None for m in bare)
    assert [m.value for m in bare] == [m.value for m in measure_performance(label, probability)]


def test_one_class_only_leaves_open_what_needs_two():
    found = by_name(measure_performance(np.ones(50, bool), np.linspace(0.1, 0.9, 50)))
    for name in ("auc", "gini", "ks", "calibration_slope", "calibration_intercept"):
        assert np.isnan(found[name].value), name
        assert found[name].lower is None, name
    assert found["recall"].value == pytest.approx(25 / 50)
    assert np.isfinite(found["brier"].value)


def test_no_rows_give_nan_and_no_interval():
    found = measure_performance(np.zeros(0, bool), np.zeros(0))
    assert all(np.isnan(m.value) and m.lower is None and m.n_current == 0 for m in found)


@pytest.mark.parametrize(
    ("label", "probability", "message"),
    [
        ([1, 0], [0.5, 1.5], r"probability 1.5 of row 1 is outside \[0, 1\]"),
        ([1, 0], [np.nan, 0.5], "probability nan of row 0"),
        ([1, 0], [-0.1, 0.5], "outside"),
        ([1], [0.1, 0.5], "labels have shape"),
        ([1, 2], [0.1, 0.5], "label 2 of row 1 is neither 0 nor 1"),
        ([1.0, np.nan], [0.1, 0.5], "label nan of row 1"),
        (["given", "refused"], [0.1, 0.5], "label given of row 0"),
        ([1, 0], [[0.1], [0.5]], "one dimension"),
        ([1, 0], ["a", "b"], "must be numbers"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(label, probability, message):
    with pytest.raises(LoanwatchError, match=message) as refusal:
        measure_performance(np.array(label), np.array(probability))
    assert "\n" not in str(refusal.value)


def test_bootstrap_errors_match_the_spread_between_samples():
    intervals = by_name(measure_performance(*drawn(2, 1_500)))
    spread = {"ks": [], "pr_auc": [], "f1": [], "calibration_error": []}
    for seed in range(100, 400):
        label, probability = drawn(seed, 1_500)
        spread["ks"].append(ks_score(label, probability))
        spread["pr_auc"].append(average_precision(label, probability))
        spread["f1"].append(confusion(label, probability >= 0.5).f1)
        spread["calibration_error"].append(calibration_error(label, probability))
    for name, values in spread.items():
        standard_error = (intervals[name].upper - intervals[name].lower) / (2 * 1.96)
        # the calibration error is near its floor of 0, where resampling overstates the spread
        tolerance = 0.6 if name == "calibration_error" else 0.3
        assert standard_error == pytest.approx(np.std(values), rel=tolerance), name


def test_five_thousand_rows_take_a_fraction_of_a_second():
    label, probability = drawn(3, 5_000)
    measure_performance(label, probability)
    started = time.perf_counter()
    measure_performance(label, probability)
    assert time.perf_counter() - started < 0.2
