"""AUC and its DeLong interval."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from sklearn.metrics import roc_auc_score

from loanwatch.statistics.auc import auc, gini
from loanwatch.statistics.delong import delong_estimate, delong_paired_difference, delong_two_sample_difference
from loanwatch.statistics.delong_counts import delong_of_counts
from loanwatch.statistics.ranks import midranks

LABEL = np.array([True, False, True, False])
SCORE = np.array([0.8, 0.7, 0.6, 0.2])


def scored(generator, rows, *, strength=1.0):
    label = generator.random(rows) < 0.7
    return label, generator.normal(size=rows) + strength * label


def delong_by_pairs(label, score):
    """The variance straight from the definition, in O(positives × negatives)."""
    wins = (score[label][:, None] > score[~label]) + 0.5 * (score[label][:, None] == score[~label])
    return wins.mean(axis=1).var(ddof=1) / label.sum() + wins.mean(axis=0).var(ddof=1) / (~label).sum()


def test_hand_computed_value():
    assert auc(LABEL, SCORE) == 0.75
    assert gini(0.75) == 0.5
    assert delong_estimate(LABEL, SCORE).standard_error == pytest.approx(np.sqrt(0.125))


def test_auc_agrees_with_scikit_learn_and_mann_whitney_with_ties():
    label, score = scored(np.random.default_rng(1), 500)
    score = score.round(1)
    assert auc(label, score) == pytest.approx(roc_auc_score(label, score))
    statistic = mannwhitneyu(score[label], score[~label]).statistic
    assert auc(label, score) == pytest.approx(statistic / (label.sum() * (~label).sum()))
    assert delong_estimate(label, score).value == pytest.approx(auc(label, score))


def test_fast_variance_equals_the_definition_with_ties():
    label, score = scored(np.random.default_rng(2), 300)
    score = score.round(1)
    assert delong_estimate(label, score).standard_error ** 2 == pytest.approx(delong_by_pairs(label, score))


def test_midranks_share_ties():
    assert midranks(np.array([2.0, 1.0, 2.0, 3.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


@pytest.mark.parametrize("label", [np.zeros(4, bool), np.ones(4, bool), np.zeros(0, bool)])
def test_one_class_or_no_rows_give_nan(label):
    score = SCORE[: label.size]
    assert np.isnan(auc(label, score))
    assert np.isnan(delong_estimate(label, score).value)
    assert np.isnan(delong_paired_difference(label, score, score).value)
    assert np.isnan(delong_two_sample_difference(label, score, LABEL, SCORE).p_value)


def test_perfect_separation_keeps_an_honest_lower_limit():
    found = delong_estimate(np.repeat([True, False], 20), np.repeat([1.0, 0.0], 20))
    assert found.value == 1.0
    assert found.lower == pytest.approx(0.025 ** (1 / 20))
    assert found.upper == 1.0


def test_constant_score_is_one_half():
    assert delong_estimate(LABEL, np.full(4, 0.3)).value == 0.5


def test_interval_covers_the_truth_in_about_95_percent():
    generator, truth = np.random.default_rng(3), norm.cdf(1 / np.sqrt(2))
    found = [delong_estimate(*scored(generator, 150)) for _ in range(1_000)]
    coverage = np.mean([f.lower <= truth <= f.upper for f in found])
    assert 0.93 <= coverage <= 0.975


def test_a_score_does_not_differ_from_itself():
    label, score = scored(np.random.default_rng(4), 200)
    same = delong_paired_difference(label, score, 3 * score + 1)
    assert (same.value, same.standard_error, same.p_value) == (0.0, 0.0, 1.0)


def test_paired_test_holds_its_level_and_finds_a_better_score():
    generator, rejected, found = np.random.default_rng(5), 0, 0
    for _ in range(300):
        label, signal = scored(generator, 400)
        first, second, noisy = (signal + s * generator.normal(size=400) for s in (1.0, 1.0, 2.5))
        rejected += delong_paired_difference(label, first, second).p_value < 0.05
        found += delong_paired_difference(label, signal, noisy).lower > 0
    assert rejected / 300 < 0.085
    assert found / 300 > 0.95


def test_two_sample_test_holds_its_level():
    generator = np.random.default_rng(6)
    p_values = [
        delong_two_sample_difference(*scored(generator, 200), *scored(generator, 600)).p_value for _ in range(600)
    ]
    assert 0.03 < np.mean(np.array(p_values) < 0.05) < 0.075


def test_counts_by_band_give_the_same_as_the_rows():
    label, score = scored(np.random.default_rng(5), 400)
    score = score.round(1)
    bands = np.unique(score)
    counts = [(score[rows][:, None] == bands).sum(axis=0).astype(float) for rows in (label, ~label)]
    value, error = delong_of_counts(np.stack([counts[0], counts[1]]), np.stack([counts[1], counts[0]]))
    expected = delong_estimate(label, score)
    assert value[0] == pytest.approx(expected.value)
    assert value[1] == pytest.approx(1 - expected.value)
    assert error == pytest.approx([expected.standard_error] * 2)


def test_counts_of_one_class_give_nan():
    value, error = delong_of_counts(np.zeros(3), np.ones(3))
    assert np.isnan(value)
    assert np.isnan(error)
    assert np.isnan(delong_of_counts(np.array([1.0, 0.0]), np.array([0.0, 1.0]))[1])


def test_the_error_of_another_sample_of_the_same_law_follows_from_its_rows():
    positive, negative = np.array([5.0, 20.0, 60.0]), np.array([40.0, 30.0, 10.0])
    value, error = delong_of_counts(positive, negative)
    other, as_many = delong_of_counts(positive, negative, rows=(positive.sum() / 4.0, negative.sum() / 4.0))
    assert other == value
    assert as_many == pytest.approx(2.0 * error)
