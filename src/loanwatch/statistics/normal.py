"""The normal distribution: tails, quantiles and normal scores."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.counts import FloatArray
from loanwatch.statistics.special import ndtri, ndtri_exp

__all__ = ["normal_scores", "two_sided_p", "two_sided_z"]


def two_sided_p(z: float) -> float:
    """Return P(|Z| ≥ |z|) of a standard normal Z; `nan` for NaN.

    >>> round(two_sided_p(1.959963984540054), 6)
    0.05
    """
    return math.nan if math.isnan(z) else math.erfc(abs(z) / math.sqrt(2.0))


def two_sided_z(p_value: float) -> float:
    """Return the |z| whose two-sided p-value is given: the inverse of `two_sided_p`.

    >>> round(two_sided_z(0.05), 6)
    1.959964
    """
    if math.isnan(p_value):
        return math.nan
    if p_value <= 0.0:
        return math.inf
    return max(0.0, -float(ndtri_exp(math.log(min(p_value, 1.0)) - math.log(2.0))))


def normal_scores(counts: npt.ArrayLike) -> FloatArray:
    r"""Return the van der Waerden score of each bin: Φ⁻¹ of the middle of its cumulative share.

    Parameters
    ----------
    counts : array_like of shape (n_bins,), >= 0
        Rows in each bin, bins in ascending order of value.

    Returns
    -------
    ndarray of shape (n_bins,)
        Zeros when there is no row. Empty outer bins get the score of half a row.

    References
    ----------
    van der Waerden, Mathematical Statistics (1969), section 62.

    Examples
    --------
    >>> normal_scores([1, 2, 1]).round(3).tolist()
    [-1.15, 0.0, 1.15]
    """
    rows = np.asarray(counts, dtype=np.float64)
    total = rows.sum()
    if total <= 0:
        return np.zeros_like(rows)
    middle = (np.cumsum(rows) - rows / 2.0) / total
    margin = 0.5 / total
    return np.asarray(ndtri(np.clip(middle, margin, 1.0 - margin)), dtype=np.float64)
