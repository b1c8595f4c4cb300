"""Values that have no bin of their own, where the reference decides which do."""

import numpy as np
import pytest

from loanwatch.statistics import g_test, pool_sparse


def test_the_rest_always_joins_the_pool():
    first, second = pool_sparse([50, 3, 2, 45, 0], [60, 1, 4, 35, 30], rest=-1)
    assert (first.tolist(), second.tolist()) == ([50, 45, 5], [60, 35, 35])


def test_without_sparse_bins_a_large_rest_stands_alone():
    first, second = pool_sparse([50, 50, 0], [40, 40, 20], rest=-1)
    assert (first.tolist(), second.tolist()) == ([50, 50, 0], [40, 40, 20])


def test_without_a_rest_nothing_changes():
    first, second = pool_sparse([50, 3, 2, 45], [60, 1, 4, 35])
    assert (first.tolist(), second.tolist()) == ([50, 45, 5], [60, 35, 5])


@pytest.mark.parametrize(("rest", "most"), [(-1, 0.07), (None, 1.0)])
def test_bins_named_by_the_reference_do_not_tell_two_samples_apart(rest, most):
    rng, hits = np.random.default_rng(3), 0
    for _ in range(1_000):
        before, now = rng.geometric(0.02, (2, 400))
        names = np.unique(before)
        counts = [np.append([(v == n).sum() for n in names], (~np.isin(v, names)).sum()) for v in (before, now)]
        hits += g_test(*counts, rest=rest).p_value < 0.05
    assert hits / 1_000 <= most
    assert rest is not None or hits / 1_000 > 0.5
