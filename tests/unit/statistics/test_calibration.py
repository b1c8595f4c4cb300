"""Calibration error, Cox's line and Spiegelhalter's z."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from loanwatch.statistics.calibration import calibration_error, calibration_line, score_band_edges, spiegelhalter


def drawn(generator, rows, *, slope=1.0, intercept=0.0):
    probability = generator.beta(3, 2, rows)
    return generator.random(rows) < expit(intercept + slope * logit(probability)), probability


def test_calibration_error_of_hand_computed_bands():
    label = np.array([True, True, False, True])
    probability = np.array([0.9, 0.7, 0.1, 0.3])
    # bands {0.1, 0.3} and {0.7, 0.9}: |0.5 − 0.2| and |1.0 − 0.8|, equally weighted
    assert calibration_error(label, probability, bands=2) == pytest.approx(0.25)


def test_calibration_error_vanishes_for_perfect_knowledge():
    label = np.array([True, False, True])
    assert calibration_error(label, label.astype(float)) == 0.0


def test_bands_collapse_where_scores_repeat():
    assert score_band_edges(np.full(10, 0.4)).size == 0
    score = np.repeat([0.2, 0.8], 10)
    assert np.unique(np.searchsorted(score_band_edges(score), score, side="right")).size == 2
    assert score_band_edges(np.zeros(0)).size == 0


def test_line_agrees_with_scikit_learn():
    label, probability = drawn(np.random.default_rng(8), 2_000, slope=0.5, intercept=0.3)
    line = calibration_line(label, probability)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probability)[:, None], label)
    assert line.slope.value == pytest.approx(reference.coef_[0, 0], abs=1e-4)
    assert line.intercept.value == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_intervals_of_the_line_cover_the_truth():
    generator = np.random.default_rng(9)
    lines = [calibration_line(*drawn(generator, 500, slope=0.8, intercept=-0.2)) for _ in range(400)]
    assert 0.92 < np.mean([x.slope.lower <= 0.8 <= x.slope.upper for x in lines]) < 0.98
    assert 0.92 < np.mean([x.intercept.lower <= -0.2 <= x.intercept.upper for x in lines]) < 0.98


@pytest.mark.parametrize(
    ("label", "probability"),
    [
        ([1, 1, 1], [0.2, 0.4, 0.6]),
        ([1, 0, 1], [0.5, 0.5, 0.5]),
        ([0, 0, 1], [0.1, 0.2, 0.9]),
        ([], []),
    ],
    ids=["one class", "constant", "separated", "empty"],
)
def test_line_is_nan_where_the_likelihood_has_no_maximum(label, probability):
    line = calibration_line(np.array(label, bool), np.array(probability, float))
    assert np.isnan(line.slope.value)
    assert np.isnan(line.intercept.upper)


def test_line_survives_certain_probabilities():
    label, probability = drawn(np.random.default_rng(10), 300)
    probability[:3] = (0.0, 1.0, 1.0)
    assert np.isfinite(calibration_line(label, probability).slope.value)


def test_spiegelhalter_is_standard_normal_for_a_calibrated_model_and_large_for_another():
    generator = np.random.default_rng(11)
    z = np.array([spiegelhalter(*drawn(generator, 400))[0] for _ in range(600)])
    assert abs(z.mean()) < 0.15
    assert 0.9 < z.std() < 1.1
    assert spiegelhalter(*drawn(generator, 4_000, slope=0.4))[1] < 1e-6


def test_spiegelhalter_is_nan_where_it_cannot_be_known():
    assert np.isnan(spiegelhalter(np.array([True]), np.array([0.5]))[0])
    assert np.isnan(spiegelhalter(np.zeros(0, bool), np.zeros(0))[1])
