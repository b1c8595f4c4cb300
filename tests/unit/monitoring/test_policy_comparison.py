"""Champion against challenger."""

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from loanwatch.contract import Policy
from loanwatch.errors import LoanwatchError, NotEnoughDataError
from loanwatch.monitoring.comparison import compare_champion

POLICY = Policy()


def held_out(seed=0, rows=2_000, *, spread=1.5):
    generator = np.random.default_rng(seed)
    truth = expit(0.8 + spread * generator.normal(size=rows))
    return generator, generator.random(rows) < truth, truth


def noisy(generator, truth, noise):
    return expit(logit(truth) + noise * generator.normal(size=truth.size))


def compared(label, champion, challenger, *, train_auc=0.85, policy=POLICY):
    return compare_champion(
        label=label,
        champion_probability=champion,
        challenger_probability=challenger,
        challenger_train_auc=train_auc,
        policy=policy,
    )


def test_a_better_challenger_wins_and_the_interval_is_stated():
    generator, label, truth = held_out()
    comparison = compared(label, noisy(generator, truth, 1.5), truth)
    assert comparison.winner == "challenger"
    difference = next(m for m in comparison.measurements if m.name == "auc_difference")
    assert 0 < difference.lower < difference.value < difference.upper
    assert f"{difference.value:+.3f}" in comparison.reason


def test_the_champion_stays_when_it_is_better_or_the_same():
    generator, label, truth = held_out()
    assert "is better" in compared(label, truth, noisy(generator, truth, 1.5), train_auc=0.75).reason
    same = compared(label, truth, truth)
    assert same.winner == "champion"
    assert same.swap_set["given_to_refused"].rows == 0
    assert same.swap_set["given_to_refused"].positive_rate is None


def test_an_equal_challenger_rarely_replaces_the_champion():
    wins = 0
    for seed in range(200):
        generator, label, truth = held_out(seed, 1_000)
        wins += compared(label, noisy(generator, truth, 0.7), noisy(generator, truth, 0.7)).winner == "challenger"
    assert wins / 200 <= 0.07


def test_better_calibrated_probabilities_win_where_the_order_is_the_same():
    _, label, truth = held_out()
    comparison = compared(label, expit(logit(truth) - 1.0), truth)
    assert comparison.winner == "challenger"
    assert "closer to what happened" in comparison.reason


def test_overfitting_disqualifies_the_better_model():
    generator, label, truth = held_out()
    comparison = compared(label, noisy(generator, truth, 1.5), truth, train_auc=0.999)
    assert comparison.winner == "champion"
    assert "between training (0.999)" in comparison.reason


def test_a_challenger_above_the_bar_replaces_a_champion_below_it():
    generator, label, truth = held_out(rows=120)
    champion = noisy(generator, truth, 0.5)
    bar = Policy(minimum_auc=float(np.mean([_auc(label, champion), _auc(label, truth)])))
    assert _auc(label, champion) < bar.minimum_auc < _auc(label, truth)
    assert compared(label, champion, truth, policy=bar).winner == "challenger"


def _auc(label, score):
    return (score[label][:, None] > score[~label]).mean()


def test_the_swap_set_counts_who_is_decided_differently_and_how_they_turned_out():
    label = np.array([True, True, False, False, True])
    champion = np.array([0.9, 0.6, 0.7, 0.2, 0.3])
    challenger = np.array([0.8, 0.4, 0.3, 0.1, 0.6])
    swaps = compared(label, champion, challenger).swap_set
    assert (swaps["given_to_refused"].rows, swaps["given_to_refused"].positive_rate) == (2, 0.5)
    assert (swaps["refused_to_given"].rows, swaps["refused_to_given"].positive_rate) == (1, 1.0)


def test_the_result_is_ready_for_json():
    _, label, truth = held_out(rows=50)
    assert json.loads(json.dumps(compared(label, truth, truth).to_dict(), allow_nan=False))["winner"] == "champion"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(NotEnoughDataError, match="of 3 rows 3 are positive"):
        compared(np.ones(3, bool), np.full(3, 0.5), np.full(3, 0.5))
    with pytest.raises(LoanwatchError, match="labels have shape"):
        compared(np.array([True, False, True]), np.full(3, 0.5), np.full(2, 0.5))
