"""Two-sample Kolmogorov–Smirnov test from counts over ordered bins."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.records import record
from loanwatch.statistics.counts import as_counts, shares
from loanwatch.statistics.special import kolmogorov

__all__ = ["KOLMOGOROV_95", "KOLMOGOROV_99", "KolmogorovSmirnov", "kolmogorov_smirnov"]

KOLMOGOROV_95, KOLMOGOROV_99 = 1.358, 1.628
"""Quantiles of D √(nm / (n + m)) where both samples are of one distribution."""


@record
class KolmogorovSmirnov:
    """The largest distance of two distribution functions, and its p-value."""

    distance: float
    p_value: float


def kolmogorov_smirnov(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, dispersion: float = 1.0
) -> KolmogorovSmirnov:
    r"""Compare two samples by D = max |F − G| at the bins' upper edges.

    The p-value is the asymptotic one, Q(D √(nm / (n + m) / φ)). It is on the safe side for small samples, for ties,
    and because a maximum between two edges is not seen.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, bins in ascending order of value. D is below the exact one by at most the largest share of
        a window that lies in one bin.
    dispersion : float, >= 1
        Variance of the shares over that of independent rows (φ).

    Returns
    -------
    KolmogorovSmirnov
        Both values `nan` when a window has no row.

    Raises
    ------
    ValueError
        If the histograms differ in shape or hold a negative or non-finite count.

    References
    ----------
    Smirnov, Table for estimating the goodness of fit of empirical distributions, Annals of Mathematical Statistics
    19 (1948).

    Examples
    --------
    >>> kolmogorov_smirnov([10, 10], [5, 15]).distance
    0.25
    """
    first, second = as_counts(reference, current)
    n, m = float(first.sum()), float(second.sum())
    if n == 0 or m == 0:
        return KolmogorovSmirnov(distance=math.nan, p_value=math.nan)
    gap = np.cumsum(shares(first) - shares(second))
    distance = min(float(np.max(np.abs(gap))), 1.0)
    p_value = float(kolmogorov(distance * math.sqrt(n * m / (n + m) / max(dispersion, 1.0))))
    return KolmogorovSmirnov(distance=distance, p_value=p_value)
