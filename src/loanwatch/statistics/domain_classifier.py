"""Can two windows be told apart row by row? A classifier on cells of features and pairs of features, cross-fitted.

Each half of the rows trains, the other half is judged (D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample
tests", ICLR 2017): what was fitted to noise falls back to an AUC of one half. The score is the log-likelihood ratio of
the cells that differ: of single features, and of pairs of features beyond what their single features explain. All
tables of pairs come from one matrix product, so that no model has to be trained.
"""

import math
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.delong import delong_estimate
from loanwatch.statistics.estimate import Estimate, normal_estimate
from loanwatch.statistics.special import ndtr

__all__ = ["Apart", "Coded", "tell_apart"]

_MOST_BLOCKS = 4
_STRONG = 3.0
"""Standard deviations above its expectation from which a block enters the score; the best of 190 pairs gets there by
chance, and is found out on the other half."""
_PRIOR_ROWS = 5.0
_FEWEST_EXPECTED = 5.0
_FEWEST_ROWS = 50
"""Of each half of each window: smaller ones cannot show anything."""
_RUN = 25
"""Rows that go to one half together. Rows side by side may be one applicant's: with a copy in either half, what was
fitted to noise would be found again."""

Blocks = tuple[tuple[int, ...], ...]


@record
class Coded:
    """Rows of both windows, every feature cut into the same bins."""

    reference: NDArray[np.intp]
    """Shape (n_reference, features): the bin of each row."""
    current: NDArray[np.intp]
    bins: tuple[int, ...]
    """Number of bins of each feature."""

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where each feature's bins begin when all bins stand in one row; shape (features,)."""
        return np.concatenate([[0], np.cumsum(self.bins)[:-1]]).astype(np.intp)

    @cached_property
    def halves(self) -> "tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]":
        """Of reference and current the rows of either half."""
        return tuple(_halves(codes) for codes in (self.reference, self.current))

    @cached_property
    def tables(self) -> "tuple[tuple[_Table, ...], ...]":
        """Of reference and current the cells of either half."""
        return tuple(tuple(_table(half, self) for half in pair) for pair in self.halves)


@record
class Apart:
    """How well the windows can be told apart."""

    auc: Estimate
    """That a row of the current window scores above one of the reference; 0.5 is chance."""
    p_value: float
    """One-sided, of 0.5."""
    blocks: Blocks
    """Features, or pairs of features, that both halves chose to tell them apart by, the strongest first; where they
    agree on none, the strongest of either."""


def tell_apart(coded: Coded, *, pairs_among: Collection[int] | None = None, singles: bool = True) -> Apart | None:
    """Score the rows of each half by what the other half shows.

    Parameters
    ----------
    coded : Coded
    pairs_among : collection of int, optional
        Features whose pairs take part; by default all.
    singles : bool
        Whether features by themselves take part; without them only a change of dependence counts.

    Returns
    -------
    Apart or None
        None where a half of a window has fewer than 50 rows. The p-value uses the variance that the rank sum has
        where nothing differs, ties included (E. Lehmann, "Nonparametrics", 1975, 1.3).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, now = rng.integers(0, 2, (2, 4_000, 2))
    >>> now[:, 1] = np.where(rng.random(4_000) < 0.6, now[:, 0], now[:, 1])
    >>> found = tell_apart(Coded(reference=before, current=now, bins=(2, 2)))
    >>> round(found.auc.value, 2), found.p_value < 1e-9, found.blocks
    (0.65, True, ((0, 1),))
    """
    halves = coded.halves
    if not coded.bins or min(len(h) for pair in halves for h in pair) < _FEWEST_ROWS:
        return None
    tables = coded.tables
    allowed = set(range(len(coded.bins)) if pairs_among is None else pairs_among)
    judged, chosen = [], list[dict[tuple[int, ...], float]]()
    for half in (0, 1):
        fitted = _Fitted.to(tables[0][1 - half], tables[1][1 - half], coded, allowed=allowed, singles=singles)
        scores = [fitted.score(window[half]) for window in halves]
        judged.append(_judged(*scores))
        chosen.append(fitted.strengths)
    value = float(np.mean([each.value for each, _ in judged]))
    # Where both halves choose the same cells the two AUCs are one product of deviations: no more than one is told.
    error = float(np.mean([each.standard_error for each, _ in judged]))
    null_error = float(np.mean([math.sqrt(variance) for _, variance in judged]))
    return Apart(
        auc=normal_estimate(value, error, minimum=0.0, maximum=1.0),
        p_value=float(ndtr((0.5 - value) / null_error)) if null_error > 0 else 1.0,
        blocks=_agreed(*chosen),
    )


def _agreed(first: dict[tuple[int, ...], float], second: dict[tuple[int, ...], float]) -> Blocks:
    total = {block: first.get(block, 0.0) + second.get(block, 0.0) for block in {**first, **second}}
    ordered = sorted(total, key=lambda block: -total[block])
    both = tuple(block for block in ordered if block in first and block in second)
    return both or tuple(ordered[:1])


def _halves(codes: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first = np.arange(len(codes)) // _RUN % 2 == 0
    return codes[first], codes[~first]


@record
class _Table:
    rows: int
    joint: NDArray[np.float64]
    """Shape (all bins, all bins): share of rows in both bins."""

    @property
    def share(self) -> NDArray[np.float64]:
        return self.joint.diagonal()


def _table(codes: NDArray[np.intp], coded: Coded) -> _Table:
    rows, width = len(codes), sum(coded.bins)
    flags = np.zeros((rows, width), dtype=np.float32)
    flags[np.arange(rows)[:, None], codes + coded.starts] = 1.0
    return _Table(rows=rows, joint=(flags.T @ flags).astype(np.float64) / rows)


@record
class _Fitted:
    """What one half shows: weights of the cells of the strongest blocks."""

    weights: dict[tuple[int, ...], NDArray[np.float64]]
    strengths: dict[tuple[int, ...], float]

    @classmethod
    def to(cls, first: _Table, second: _Table, coded: Coded, *, allowed: set[int], singles: bool) -> Self:
        strengths = _pair_strengths(first, second, coded, allowed)
        if singles:
            strengths |= _single_strengths(first, second, coded)
        best = sorted(strengths, key=lambda block: -strengths[block][0])[:_MOST_BLOCKS]
        chosen = {b: strengths[b] for b in best if strengths[b][0] > _STRONG}
        return cls(
            weights={b: trust * _log_ratio(first, second, coded, b) for b, (_, trust) in chosen.items()},
            strengths={b: strength for b, (strength, _) in chosen.items()},
        )

    def score(self, codes: NDArray[np.intp]) -> NDArray[np.float64]:
        total = np.zeros(len(codes))
        for block, weight in self.weights.items():
            total += weight[tuple(codes[:, feature] for feature in block)]
        return total


_Strength = tuple[float, float]
"""Standard deviations above expectation, and the share of the evidence that is not noise."""


def _single_strengths(first: _Table, second: _Table, coded: Coded) -> dict[tuple[int, ...], _Strength]:
    noise = 1.0 / first.rows + 1.0 / second.rows
    pooled = (first.rows * first.share + second.rows * second.share) / (first.rows + second.rows)
    kept = pooled * min(first.rows, second.rows) >= _FEWEST_EXPECTED
    evidence = np.where(kept, (second.share - first.share) ** 2 / np.where(kept, pooled, 1.0) / noise, 0.0)
    expected = np.where(kept, 1.0 - pooled, 0.0)
    sums = [np.add.reduceat(each, coded.starts) for each in (evidence, expected)]
    return {(i,): _strength(float(g), float(d)) for i, (g, d) in enumerate(zip(*sums, strict=True))}


def _pair_strengths(
    first: _Table, second: _Table, coded: Coded, allowed: Collection[int]
) -> dict[tuple[int, ...], _Strength]:
    noise = 1.0 / first.rows + 1.0 / second.rows
    pooled = (first.rows * first.share + second.rows * second.share) / (first.rows + second.rows)
    independent = np.outer(pooled, pooled)
    kept = independent * min(first.rows, second.rows) >= _FEWEST_EXPECTED
    excess = [t.joint - np.outer(t.share, t.share) for t in (first, second)]
    evidence = np.where(kept, (excess[1] - excess[0]) ** 2 / np.where(kept, independent, 1.0) / noise, 0.0)
    expected = np.where(kept, np.outer(1.0 - pooled, 1.0 - pooled), 0.0)
    sums = [
        np.add.reduceat(np.add.reduceat(each, coded.starts, axis=0), coded.starts, axis=1)
        for each in (evidence, expected)
    ]
    names: Sequence[int] = sorted(allowed)
    return {
        (i, j): _strength(float(sums[0][i, j]), float(sums[1][i, j]))
        for at, i in enumerate(names)
        for j in names[at + 1 :]
    }


def _strength(evidence: float, expected: float) -> _Strength:
    if expected <= 0.0 or evidence <= expected:
        return 0.0, 0.0
    return (evidence - expected) / math.sqrt(2.0 * expected), 1.0 - expected / evidence


def _log_ratio(first: _Table, second: _Table, coded: Coded, block: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the log-likelihood ratio of each cell, drawn towards none; of a pair, beyond that of its features."""
    places = [slice(coded.starts[f], coded.starts[f] + coded.bins[f]) for f in block]
    ratios = []
    for table in (first, second):
        seen: NDArray[np.float64] = table.share[places[0]]
        foreseen: NDArray[np.float64] = np.ones(coded.bins[block[0]])
        if len(block) > 1:
            seen, foreseen = table.joint[places[0], places[1]], np.outer(seen, table.share[places[1]])
        ratios.append((table.rows * seen, table.rows * foreseen))
    usual = (ratios[0][0] + ratios[1][0] + 1e-9) / (ratios[0][1] + ratios[1][1] + 1e-9)
    before, now = ((seen + _PRIOR_ROWS * usual) / (foreseen + _PRIOR_ROWS) for seen, foreseen in ratios)
    ratio: NDArray[np.float64] = np.log(np.maximum(now, 1e-12) / np.maximum(before, 1e-12))
    return ratio


def _judged(reference: NDArray[np.float64], current: NDArray[np.float64]) -> tuple[Estimate, float]:
    """Return the AUC, and its variance where nothing differs."""
    label = np.concatenate([np.zeros(reference.size, dtype=np.bool_), np.ones(current.size, dtype=np.bool_)])
    score = np.concatenate([reference, current])
    n, m, total = reference.size, current.size, score.size
    ties = np.unique(score, return_counts=True)[1].astype(np.float64)
    shared = float((ties**3 - ties).sum()) / (total * (total - 1.0))
    return delong_estimate(label, score), (total + 1.0 - shared) / (12.0 * n * m)
