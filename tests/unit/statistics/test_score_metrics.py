"""KS of the score, average precision, losses and the confusion counts."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, log_loss

from loanwatch.statistics.average_precision import average_precision, average_precision_of_counts
from loanwatch.statistics.bootstrap import poisson_bootstrap_errors
from loanwatch.statistics.confusion import confusion
from loanwatch.statistics.ks_score import ks_score, ks_score_of_counts
from loanwatch.statistics.mean_loss import brier_losses, log_losses, mean_estimate


@pytest.fixture(scope="module")
def scored():
    generator = np.random.default_rng(7)
    probability = generator.beta(2, 1, 700).round(2).clip(0.01, 0.99)
    return generator.random(700) < probability, probability


def test_metrics_agree_with_scipy_and_scikit_learn(scored):
    label, probability = scored
    assert ks_score(label, probability) == pytest.approx(ks_2samp(probability[label], probability[~label]).statistic)
    assert average_precision(label, probability) == pytest.approx(average_precision_score(label, probability))
    assert brier_losses(label, probability).mean() == pytest.approx(brier_score_loss(label, probability))
    assert log_losses(label, probability).mean() == pytest.approx(log_loss(label, probability))
    assert confusion(label, probability >= 0.5).f1 == pytest.approx(f1_score(label, probability >= 0.5))


def test_ks_of_identical_scores_is_zero_and_of_separated_ones_one():
    label = np.array([True, False, True, False])
    assert ks_score(label, np.full(4, 0.4)) == 0.0
    assert ks_score(label, label.astype(float)) == 1.0


def test_one_class_only_or_no_rows_give_nan():
    score = np.array([0.1, 0.9])
    assert np.isnan(ks_score(np.array([True, True]), score))
    assert np.isnan(average_precision(np.array([False, False]), score))
    assert average_precision(np.array([True, True]), score) == 1.0
    assert np.isnan(ks_score(np.zeros(0, bool), np.zeros(0)))
    assert np.isnan(average_precision(np.zeros(0, bool), np.zeros(0)))
    assert np.isnan(mean_estimate(np.zeros(0)).value)
    assert np.isnan(confusion(np.zeros(0, bool), np.zeros(0, bool)).f1)


def test_counts_hold_many_samples_apart():
    positive, negative = np.array([[0.0, 2.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 1.0]])
    assert ks_score_of_counts(positive, negative).tolist() == [1.0, 0.0]
    assert average_precision_of_counts(positive, negative).tolist() == [1.0, 0.5]


def test_a_certain_error_has_a_finite_log_loss():
    assert log_losses(np.array([True]), np.array([0.0]))[0] == pytest.approx(-np.log(1e-15))


def test_confusion_counts_every_row_once():
    counts = confusion(np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool))
    assert (counts.true_positive, counts.false_negative, counts.false_positive, counts.true_negative) == (2, 1, 1, 1)
    assert (counts.total, counts.correct, counts.positive, counts.predicted_positive) == (5, 3, 3, 3)


def test_bootstrap_error_of_a_mean_is_the_known_one_and_is_seeded():
    counts = (np.array([300.0]), np.array([700.0]))
    share = lambda a, b: a[:, 0] / (a[:, 0] + b[:, 0])  # noqa: E731
    first = poisson_bootstrap_errors(counts, (share,), resamples=2_000, seed=1)
    assert first[0] == pytest.approx(np.sqrt(0.3 * 0.7 / 1_000), rel=0.1)
    assert first == poisson_bootstrap_errors(counts, (share,), resamples=2_000, seed=1)


def test_bootstrap_error_is_nan_where_most_resamples_are():
    counts = (np.array([0.0]), np.array([5.0]))
    assert np.isnan(poisson_bootstrap_errors(counts, (average_precision_of_counts,))[0])
