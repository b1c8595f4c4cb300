"""Compare columns of more categories than can be counted one by one: a fixed sample of them stands for the others."""

import math

import numpy as np

from loanwatch.monitoring.data_drift.column_change import MINIMUM_VALUES, Variation
from loanwatch.monitoring.profile import CategoricalProfile
from loanwatch.monitoring.verdict import DriftSize
from loanwatch.statistics import expected_psi, g_test, pool_sparse, proportion_change, psi

__all__ = ["change_of_others", "excess_of_unseen"]


def excess_of_unseen(
    reference: CategoricalProfile, current: CategoricalProfile, variation: Variation
) -> tuple[float, float]:
    """Return the share of unseen rows above that of the reference, its rows each held against all others, and p.

    Of more categories than can be counted a fixed sample stands for all: what is unseen of it, in proportion.
    """
    # A category too rare for the reference comes in several rows of a longer window at once.
    dispersion = variation.values + current.present / reference.present
    named = current.unseen_rows(reference)
    counts = [(reference.lone_rows, reference.present, named, current.present, 1.0)] if named else []
    sampled = (current.sampled_beside(reference) or {}).values()
    before, now = sum(rows for rows, _ in sampled), sum(rows for _, rows in sampled)
    if min(before, now) >= MINIMUM_VALUES:
        lone = sum(rows == 1 for rows, _ in sampled)
        unseen = sum(rows for known, rows in sampled if not known)
        counts.append((lone, before, unseen, now, float(current.value_groups[-1]) / current.present))
    changes = [
        (change.change * weight, min(1.0, change.p_value * len(counts)))
        for *rows, weight in counts
        if (change := proportion_change(*rows, dispersion=dispersion)).change > 0
    ]
    if not changes:
        return 0.0, 1.0 if counts else math.nan
    return max(share for share, _ in changes), min(p_value for _, p_value in changes)


def change_of_others(
    reference: CategoricalProfile, current: CategoricalProfile, variation: Variation
) -> tuple[DriftSize, float] | None:
    """Return how far the mix of the categories that the edges do not name has moved, and p; None where all are named.

    Two questions, the surer answer counts (Bonferroni): whether those of the sample have other shares among each other,
    and whether the window lacks more of them than chance would have it, which is asked as for unseen ones with the
    sides exchanged. The edges name what the reference has most of, so the others' rows are a little too alike in the
    reference: the test is careful there.
    """
    sampled = current.sampled_beside(reference)
    if sampled is None:
        return None
    before, now = (np.array([rows[side] for rows in sampled.values()], dtype=np.int64) for side in (0, 1))
    if min(before.sum(), now.sum()) < MINIMUM_VALUES:
        return None
    weight = max(float(p.value_groups[-1]) / p.present for p in (reference, current))
    mix = g_test(before, now, dispersion=variation.values)
    first, second = pool_sparse(before, now)
    noise = expected_psi(first.size, int(before.sum()), int(now.sum())) * variation.values
    gone = proportion_change(
        int(np.count_nonzero(now == 1)),
        int(now.sum()),
        int(before[now == 0].sum()),
        int(before.sum()),
        dispersion=variation.values + before.sum() / now.sum(),
    )
    tests = [mix.p_value, gone.p_value if gone.change > 0 else 1.0]
    asked = [p_value for p_value in tests if not math.isnan(p_value)]
    size = DriftSize(psi=weight * max(0.0, psi(first, second) - noise), share_change=weight * max(0.0, gone.change))
    return size, min(1.0, min(asked) * len(asked))
