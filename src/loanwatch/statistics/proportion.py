"""Change of a share between two windows: missing rates, unseen categories, labels."""

import math

import numpy as np

from loanwatch.records import record
from loanwatch.statistics.binomial import wilson
from loanwatch.statistics.counts import FloatArray
from loanwatch.statistics.normal import two_sided_p, two_sided_z
from loanwatch.statistics.special import gammaln

__all__ = ["ProportionChange", "proportion_change"]

_EXACT_BELOW = 50.0
"""Expected rows under which the normal approximation misjudges p-values of 1e-4 and Fisher's test is used."""


@record
class ProportionChange:
    """Current share minus reference share, with a 95 % interval and a two-sided p-value."""

    change: float
    lower: float
    upper: float
    p_value: float


def proportion_change(
    hits_reference: int, n_reference: int, hits_current: int, n_current: int, *, dispersion: float = 1.0
) -> ProportionChange:
    r"""Compare two shares.

    Large counts: the score test z = (q − p) / √(r(1 − r)(1/n + 1/m)φ) with the pooled share r. Where fewer than 50
    hits or misses are expected: Fisher's exact test, its p-value carried through z to take φ into account. The
    interval is Newcombe's (hybrid score).

    Parameters
    ----------
    hits_reference, hits_current : int, >= 0
    n_reference, n_current : int, >= 0
        Rows looked at.
    dispersion : float, >= 1
        Variance of the share over that of independent rows (φ).

    Returns
    -------
    ProportionChange
        All `nan` when a window has no row.

    Raises
    ------
    ValueError
        If there are more hits than rows.

    References
    ----------
    Fisher, The logic of inductive inference (1935). Newcombe, Interval estimation for the difference between
    independent proportions, Statistics in Medicine 17 (1998), method 10.

    Examples
    --------
    >>> result = proportion_change(5_250, 15_000, 2_814, 6_700)
    >>> round(result.change, 3), result.p_value < 1e-12
    (0.07, True)
    """
    if not (0 <= hits_reference <= n_reference and 0 <= hits_current <= n_current):
        raise ValueError(f"more hits than rows: {hits_reference} of {n_reference}, {hits_current} of {n_current}")
    if n_reference == 0 or n_current == 0:
        return ProportionChange(change=math.nan, lower=math.nan, upper=math.nan, p_value=math.nan)
    p, q = hits_reference / n_reference, hits_current / n_current
    pooled = (hits_reference + hits_current) / (n_reference + n_current)
    phi = max(dispersion, 1.0)
    if min(pooled, 1.0 - pooled) * min(n_reference, n_current) < _EXACT_BELOW:
        z = two_sided_z(_fisher_p(hits_reference, n_reference, hits_current, n_current))
    else:
        z = (q - p) / math.sqrt(pooled * (1.0 - pooled) * (1.0 / n_reference + 1.0 / n_current))
    lower, upper = _newcombe(hits_reference, n_reference, hits_current, n_current, phi)
    return ProportionChange(change=q - p, lower=lower, upper=upper, p_value=two_sided_p(z / math.sqrt(phi)))


def _fisher_p(hits_reference: int, n_reference: int, hits_current: int, n_current: int) -> float:
    """Sum the probabilities of all tables with these margins that are no likelier than the one seen."""
    hits = hits_reference + hits_current
    support = np.arange(max(0, hits - n_reference), min(hits, n_current) + 1, dtype=np.float64)
    log_probability = (
        _log_choose(n_current, support)
        + _log_choose(n_reference, hits - support)
        - _log_choose(n_reference + n_current, np.array([float(hits)]))
    )
    seen = log_probability[hits_current - int(support[0])]
    # The tolerance lets tables of equal probability count in spite of rounding.
    return min(1.0, float(np.exp(log_probability[log_probability <= seen + 1e-7]).sum()))


def _log_choose(n: int, k: FloatArray) -> FloatArray:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0), dtype=np.float64)


def _newcombe(
    hits_reference: int, n_reference: int, hits_current: int, n_current: int, dispersion: float
) -> tuple[float, float]:
    p, q = wilson(hits_reference, n_reference), wilson(hits_current, n_current)
    change, widening = q.value - p.value, math.sqrt(dispersion)
    lower = change - widening * math.hypot(q.value - q.lower, p.upper - p.value)
    upper = change + widening * math.hypot(q.upper - q.value, p.value - p.lower)
    return max(-1.0, lower), min(1.0, upper)
