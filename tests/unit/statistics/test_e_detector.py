"""Evidence against stated probabilities, row by row."""

from itertools import product

import numpy as np
import pytest

from loanwatch.statistics.e_detector import sequential_evidence, sound_alarm


def stream(seed, rows, *, changed_at=None):
    generator = np.random.default_rng(seed)
    probability = generator.beta(2, 1, rows)
    truth = probability.copy()
    if changed_at is not None:
        truth[changed_at:] = 1.0 - truth[changed_at:]
    return generator.random(rows) < truth, probability


def test_one_row_has_the_mean_likelihood_ratio_of_all_changed_laws():
    logit = np.log(0.8 / 0.2)
    laws = [s + b * logit for b in (1.0, 0.5, 0.0, -0.5) for s in (-2, -1, -0.5, 0, 0.5, 1, 2) if (b, s) != (1.0, 0)]
    expected = np.log(np.mean([1 / (1 + np.exp(-law)) / 0.8 for law in laws]))
    assert sequential_evidence(np.array([True]), np.array([0.8]))[0] == pytest.approx(expected)


def test_the_mean_of_the_detector_is_the_number_of_rows_while_the_probabilities_hold():
    probability = np.array([0.9, 0.3, 0.6, 0.75])
    mean = 0.0
    for outcome in product([True, False], repeat=4):
        label = np.array(outcome)
        chance = np.where(label, probability, 1.0 - probability).prod()
        mean += chance * np.exp(sequential_evidence(label, probability)[-1])
    assert mean == pytest.approx(4.0)


def test_hardly_a_sound_stream_ever_rings():
    rung = [sound_alarm(*stream(seed, 500), false_alarm_rate=0.05) is not None for seed in range(60)]
    assert np.mean(rung) <= 0.05


def test_a_change_rings_soon_and_is_placed():
    for seed in range(5):
        alarm = sound_alarm(*stream(seed, 2_000, changed_at=1_000), false_alarm_rate=0.01)
        assert 1_000 < alarm.position < 1_200
        assert abs(alarm.started - 1_000) < 60


def test_what_lies_within_the_limits_is_no_evidence():
    label, probability = stream(0, 3_000)
    off = np.clip(probability - 0.15, 0.01, 0.99)
    assert sound_alarm(label, off, false_alarm_rate=0.01) is not None
    assert sound_alarm(label, off, lower=off, upper=np.minimum(off + 0.2, 0.99), false_alarm_rate=0.01) is None


def test_no_rows_give_no_alarm():
    assert sound_alarm(np.array([], dtype=bool), np.array([]), false_alarm_rate=0.01) is None
