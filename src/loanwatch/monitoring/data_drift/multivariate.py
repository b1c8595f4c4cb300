"""Compare the correlation matrices of two profiles."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from loanwatch.monitoring.profile import Profile, ScoreMoments
from loanwatch.monitoring.verdict import DriftSize
from loanwatch.records import record
from loanwatch.statistics import FloatArray, correlation_change

__all__ = ["PairChange", "compare_correlations", "group_by_hub"]

_ROWS_PER_KURTOSIS = 30.0
"""A pair needs this many rows for each unit of kurtosis: 90 for normal scores, 1,100 for a count that is 0 in 97 %."""


@record
class PairChange:
    """The correlation of two columns' normal scores in both windows."""

    columns: tuple[str, str]
    reference: float
    current: float
    p_value: float
    n_reference: int
    n_current: int

    @property
    def change(self) -> float:
        """Absolute change of the correlation."""
        return abs(self.current - self.reference)

    @property
    def size(self) -> DriftSize:
        """The change as the bands judge it."""
        return DriftSize(correlation_change=self.change)


def compare_correlations(
    reference: Profile, current: Profile, *, names: Iterable[str], variation: Mapping[str, float] | None = None
) -> tuple[PairChange, ...]:
    """Test every pair of numeric columns that both windows can show.

    Pairs of columns with too few common rows for the approximation are left out.

    Parameters
    ----------
    reference, current : Profile
    names : iterable of str
        Columns to take part.
    variation : mapping of str to float, >= 1
        Column → φ of its values. Days that move both columns of a pair add to the spread of its correlation; days
        that move one of them do not.
    """
    first, second = reference.moments, current.moments
    if first is None or second is None:
        return ()
    wanted = [n for n in names if n in first.names and n in second.names]
    at_first, at_second = [first.names.index(n) for n in wanted], [second.names.index(n) for n in wanted]
    usable = np.triu(_usable(first, second, at_first, at_second), k=1)
    phi = {name: (variation or {}).get(name, 1.0) for name in wanted}
    pairs = []
    for i, j in np.argwhere(usable).tolist():
        (a, b), (c, d) = (at_first[i], at_first[j]), (at_second[i], at_second[j])
        r, s = float(first.correlations[a, b]), float(second.correlations[c, d])
        n, m = int(first.rows[a, b]), int(second.rows[c, d])
        factor = (first.kurtosis_factors[a, b] * n + second.kurtosis_factors[c, d] * m) / (n + m)
        days = 1.0 + math.sqrt(max(phi[wanted[i]] - 1.0, 0.0) * max(phi[wanted[j]] - 1.0, 0.0))
        test = correlation_change(r, n, s, m, kurtosis_factor=max(1.0, float(factor)), dispersion=days)
        pairs.append(
            PairChange(
                columns=(wanted[i], wanted[j]),
                reference=r,
                current=s,
                p_value=test.p_value,
                n_reference=n,
                n_current=m,
            )
        )
    return tuple(pairs)


def group_by_hub(
    pairs: Sequence[PairChange], *, weights: Mapping[str, float] | None = None
) -> dict[str, list[PairChange]]:
    """Name the columns behind changed pairs: again and again the one with the most change left.

    Returns
    -------
    dict
        Column → its pairs, the largest change first; every pair once.
    """
    left, hubs = sorted(pairs, key=lambda p: -p.change), {}
    while left:
        total: dict[str, float] = {}
        for pair in left:
            for name in pair.columns:
                total[name] = total.get(name, 0.0) + pair.change
        hub = max(total, key=lambda name: (total[name], (weights or {}).get(name, 0.0)))
        hubs[hub] = [p for p in left if hub in p.columns]
        left = [p for p in left if hub not in p.columns]
    return hubs


def _usable(first: ScoreMoments, second: ScoreMoments, at_first: list[int], at_second: list[int]) -> FloatArray:
    rows = np.minimum(first.rows[np.ix_(at_first, at_first)], second.rows[np.ix_(at_second, at_second)])
    tails = first.kurtosis[np.ix_(at_first, at_first)]
    factor = first.kurtosis_factors[np.ix_(at_first, at_first)]
    needed = _ROWS_PER_KURTOSIS * np.maximum(np.maximum(tails, tails.T), factor)
    known = np.isfinite(first.correlations[np.ix_(at_first, at_first)])
    known &= np.isfinite(second.correlations[np.ix_(at_second, at_second)])
    return np.asarray(known & (rows >= needed), dtype=np.float64)
