"""A classifier of two windows: chance where nothing differs, the pair where only a pair does."""

import numpy as np
import pytest

from loanwatch.statistics.domain_classifier import Coded, tell_apart


def coded(seed, *, rows=(4_000, 3_000), features=6, bins=4, exclusive=0.0, shifted=0.0):
    """Independent features; in a share `exclusive` of the current rows the halves of the first two agree."""
    rng = np.random.default_rng(seed)
    before, now = (rng.integers(0, bins, (n, features)) for n in rows)
    agree = rng.random(rows[1]) < exclusive
    now[agree, 1] = (now[agree, 1] % 2) + 2 * (now[agree, 0] // 2)
    moved = rng.random(rows[1]) < shifted
    now[moved, 2] = 0
    return Coded(reference=before, current=now, bins=(bins,) * features)


def test_the_pair_that_depends_is_found_and_named():
    found = tell_apart(coded(0, exclusive=0.6))
    assert found.auc.value == pytest.approx(0.65, abs=0.02)
    assert found.auc.lower > 0.6
    assert found.p_value < 1e-10
    assert found.blocks == ((0, 1),)


def test_a_feature_that_moved_is_named_alone():
    found = tell_apart(coded(1, shifted=0.4))
    assert found.blocks[0] == (2,)
    assert found.p_value < 1e-10


def test_without_singles_a_moved_feature_is_not_seen():
    found = tell_apart(coded(1, shifted=0.4), singles=False)
    assert found.p_value > 0.01


def test_pairs_that_take_no_part_are_not_seen():
    found = tell_apart(coded(0, exclusive=0.6), pairs_among=[1, 2, 3], singles=False)
    assert found.p_value > 0.01


def test_windows_that_are_the_same_rows_cannot_be_told_apart():
    same = coded(2).reference
    found = tell_apart(Coded(reference=same, current=same, bins=(4,) * 6))
    assert found.auc.value == 0.5
    assert found.p_value == pytest.approx(0.5, abs=0.5)
    assert not found.blocks


@pytest.mark.parametrize("rows", [(0, 500), (500, 0), (99, 500), (500, 99)])
def test_small_windows_give_nothing(rows):
    assert tell_apart(coded(0, rows=rows)) is None


def test_rows_repeated_side_by_side_tell_nothing_apart():
    def sure(seed):
        rng = np.random.default_rng(seed)
        windows = [
            np.repeat(rng.integers(0, 5, (n, 20)), np.where(rng.random(n) < 0.3, 2, 1), axis=0)[:n]
            for n in (2_000, 500)
        ]
        found = tell_apart(Coded(reference=windows[0], current=windows[1], bins=(5,) * 20), singles=False)
        return found.p_value <= 0.01

    assert sum(map(sure, range(60))) <= 3


def test_no_features_give_nothing():
    nothing = np.empty((300, 0), dtype=np.intp)
    assert tell_apart(Coded(reference=nothing, current=nothing, bins=())) is None


def test_p_values_are_no_smaller_than_chance():
    p_values = np.array([tell_apart(coded(s, rows=(600, 400))).p_value for s in range(300)])
    assert np.mean(p_values < 0.05) <= 0.08
    assert np.mean(p_values < 0.01) <= 0.03
