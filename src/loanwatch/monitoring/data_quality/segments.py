"""Intervals of one numeric feature in which nearly every label is the same."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.special import gammaln

__all__ = ["Segment", "purest_segments"]

PURITY = 0.995
"""The purity that the search is sharpest for; it also finds 98 % and 100 %."""

MAXIMUM_SEGMENTS = 5
"""Intervals of one column and label that are looked at, best first."""

STEP_ODDS_RATIO = 20.0
"""How abruptly the label must change at the ends of the interval: honest relations, however strong, are gradual. The
search puts the ends where the step looks greatest, so that a gradual relation shows steps of 6 in 16 % of the windows
of five strong ones, of 20 in 1 %."""

STEP_LOG_P = float(np.log(1e-3))
"""One-sided level for that step, so that a handful of rows beyond the end does not make one."""

SPIKE_SHARE = 0.8
"""An interval that mostly consists of one value is that value, and a few neighbours that agree by luck."""

_MINIMUM_EDGE = 30
_MINIMUM_OUTSIDE = 10


@record
class Segment:
    """An interval of values, both ends inside; None where it reaches the end of the data."""

    lower: float | None
    upper: float | None
    log_p: float
    """Logarithm of the bound on the probability of an interval this pure anywhere in an honest column."""


def purest_segments(
    values: NDArray[np.float64], other: NDArray[np.bool_], *, null_rate: float, minimum_rows: int
) -> Iterator[Segment]:
    """Yield the intervals of values in which the other label is rarer than any honest rate explains, best first.

    Every row scores the log-likelihood ratio of `PURITY` against the null rate. An interval's score is the sum over
    its rows. Under the null the exponential of a running sum is a supermartingale, so an interval that starts at a
    given row reaches the score s with probability at most exp(-s) (Ville's inequality), and one that starts anywhere
    with at most n exp(-s). The best interval is the maximal-scoring segment, found in one pass.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite numbers, in any order.
    other : ndarray of bool, shape (n,)
        Whether the row has the other label than the one the interval is tested to decide.
    null_rate : float, in (0, 1)
        The lowest rate of the other label that an honest region may have.
    minimum_rows : int
        Smaller intervals are passed over.

    References
    ----------
    Karlin and Altschul (1990), Methods for assessing the statistical significance of molecular sequence features by
    using general scoring schemes, PNAS 87. Ville (1939), Étude critique de la notion de collectif.
    """
    if len(values) == 0 or null_rate <= 1 - PURITY:
        return
    order = np.argsort(values)
    ordered_values, ordered = values[order], other[order]
    first = np.concatenate([[0], 1 + np.flatnonzero(np.diff(ordered_values))])
    levels, counts = ordered_values[first], np.diff(np.append(first, len(values)))
    others = np.add.reduceat(ordered.astype(np.int64), first)
    scores = others * np.log((1 - PURITY) / null_rate) + (counts - others) * np.log(PURITY / (1 - null_rate))
    for _ in range(MAXIMUM_SEGMENTS):
        start, stop, score = _maximal_segment(scores)
        if score <= 0:
            return
        if counts[start:stop].sum() >= minimum_rows and _has_steps(counts, others, start, stop):
            log_p = float(np.log(len(values)) - score)
            peak = start + int(np.argmax(counts[start:stop]))
            if counts[peak] >= SPIKE_SHARE * counts[start:stop].sum():
                yield Segment(lower=float(levels[peak]), upper=float(levels[peak]), log_p=log_p)
            else:
                yield Segment(
                    lower=None if start == 0 else float(levels[start]),
                    upper=None if stop == len(levels) else float(levels[stop - 1]),
                    log_p=log_p,
                )
        scores[start:stop] = -np.inf


def _maximal_segment(scores: NDArray[np.float64]) -> tuple[int, int, float]:
    """Return start, stop and sum of the contiguous part with the largest sum; -inf scores separate."""
    best = (0, 0, 0.0)
    blocked = np.flatnonzero(np.isneginf(scores))
    bounds = np.concatenate([[-1], blocked, [len(scores)]])
    for left, right in zip(bounds[:-1] + 1, bounds[1:], strict=True):
        if right <= left:
            continue
        total = np.concatenate([[0.0], np.cumsum(scores[left:right])])
        lowest = np.minimum.accumulate(total)
        stop = int(np.argmax(total - lowest))
        gain = float(total[stop] - lowest[stop])
        if gain > best[2]:
            start = int(np.flatnonzero(total[: stop + 1] == lowest[stop])[-1])
            best = (int(left) + start, int(left) + stop, gain)
    return best


def _has_steps(counts: NDArray[np.int64], others: NDArray[np.int64], start: int, stop: int) -> bool:
    """Return whether the label changes abruptly at each end of the interval that lies inside the data."""
    edge = max(_MINIMUM_EDGE, int(counts[start:stop].sum()) // 4)  # near the end, where a gradual relation is flat
    sides = [
        _step(counts[start:stop], others[start:stop], counts[:start][::-1], others[:start][::-1], edge),
        _step(counts[start:stop][::-1], others[start:stop][::-1], counts[stop:], others[stop:], edge),
    ]
    judged = [side for side in sides if side is not None]
    return bool(judged) and all(judged)


def _step(
    inside_rows: NDArray[np.int64],
    inside_other: NDArray[np.int64],
    outside_rows: NDArray[np.int64],
    outside_other: NDArray[np.int64],
    edge: int,
) -> bool | None:
    """Return whether the odds of the other label jump across an end; None where nothing lies beyond it.

    All arrays run away from the end; about `edge` rows on each side are compared.
    """
    if outside_rows.sum() < _MINIMUM_OUTSIDE:
        return None
    n_in, k_in = _nearest(inside_rows, inside_other, edge)
    n_out, k_out = _nearest(outside_rows, outside_other, edge)
    odds_in = (k_in + 0.5) / (n_in - k_in + 0.5)
    odds_out = (k_out + 0.5) / (n_out - k_out + 0.5)
    return odds_out / odds_in >= STEP_ODDS_RATIO and _log_p_fewer(n_in, k_in, n_out, k_out) <= STEP_LOG_P


def _nearest(rows: NDArray[np.int64], others: NDArray[np.int64], edge: int) -> tuple[int, int]:
    """Return rows and other labels of the values nearest to an end, whole values until `edge` rows are reached."""
    stop = int(np.searchsorted(np.cumsum(rows), edge)) + 1
    return int(rows[:stop].sum()), int(others[:stop].sum())


def _log_p_fewer(n_in: int, k_in: int, n_out: int, k_out: int) -> float:
    """Return the logarithm of Fisher's one-sided p-value of so few other labels inside."""
    k_all = k_in + k_out
    k = np.arange(max(0, k_all - n_out), k_in + 1, dtype=np.float64)
    everything = _log_choose(n_in + n_out, np.asarray(float(k_all)))
    return float(np.logaddexp.reduce(_log_choose(n_in, k) + _log_choose(n_out, k_all - k) - everything))


def _log_choose(n: int, k: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return result
