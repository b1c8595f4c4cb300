import numpy as np
import pytest

from loanwatch.scoring import Calibrator
from loanwatch.training.calibration import fit_calibrator


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.8), (2.0, -1.0)])
def test_the_line_that_made_the_labels_is_found(slope, intercept):
    generator = np.random.default_rng(0)
    z = generator.normal(size=40_000)
    label = generator.random(len(z)) < sigmoid(slope * z + intercept)
    fitted = fit_calibrator(sigmoid(z), label)
    assert fitted.slope == pytest.approx(slope, abs=0.05)
    assert fitted.intercept == pytest.approx(intercept, abs=0.05)


def test_after_the_fit_the_mean_probability_is_the_base_rate():
    generator = np.random.default_rng(1)
    score = generator.beta(2, 5, size=5_000)
    label = generator.random(5_000) < score**0.5
    assert fit_calibrator(score, label).apply(score).mean() == pytest.approx(label.mean(), abs=1e-3)


def test_scores_that_separate_the_classes_give_a_finite_line():
    score = np.array([0.0] * 50 + [1.0] * 50)
    fitted = fit_calibrator(score, score > 0.5)
    assert np.isfinite([fitted.slope, fitted.intercept]).all()
    assert fitted.apply(np.array([0.0, 1.0])) == pytest.approx([0, 1], abs=0.01)


def test_scores_that_rank_the_wrong_way_keep_their_ranking_and_the_base_rate():
    generator = np.random.default_rng(2)
    score = generator.random(4_000)
    label = generator.random(4_000) < 1 - 0.5 * score
    fitted = fit_calibrator(score, label)
    assert fitted.slope == 0.01
    assert fitted.apply(score).mean() == pytest.approx(label.mean(), abs=0.01)


def test_rows_without_an_out_of_bag_score_are_left_out():
    generator = np.random.default_rng(3)
    score = generator.random(500)
    label = generator.random(500) < score
    with_holes = np.append(score, [np.nan, np.nan])
    assert fit_calibrator(with_holes, np.append(label, [True, True])) == fit_calibrator(score, label)
    assert isinstance(fit_calibrator(score, label), Calibrator)
