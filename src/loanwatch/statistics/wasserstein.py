"""Wasserstein distance (earth mover's) from counts over bins."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.counts import as_counts, shares

__all__ = ["wasserstein"]


def wasserstein(
    reference: npt.ArrayLike, current: npt.ArrayLike, boundaries: npt.ArrayLike, *, scale: float = 1.0
) -> float:
    r"""Return the area between two distribution functions, in units of `scale`.

    .. math:: W_1 = \frac{1}{s} \int |F(x) - G(x)| \, dx

    Inside a bin both functions are taken as straight lines.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, bins in ascending order of value.
    boundaries : array_like of shape (n_bins + 1,)
        Ascending finite boundaries: bin b lies between the b-th and the next.
    scale : float, > 0
        The reference's standard deviation makes the distance comparable between columns.

    Returns
    -------
    float
        At least 0; `nan` when a window has no row or `scale` is not positive.

    Raises
    ------
    ValueError
        If the shapes do not fit or a count is negative or non-finite.

    References
    ----------
    Vallender, Calculation of the Wasserstein distance between probability distributions on the line (1974).

    Examples
    --------
    >>> wasserstein([1, 0], [0, 1], [0.0, 1.0, 2.0])
    1.0
    """
    first, second = as_counts(reference, current)
    limits = np.asarray(boundaries, dtype=np.float64)
    if limits.shape != (first.size + 1,):
        raise ValueError(f"{first.size} bins need {first.size + 1} boundaries, got {limits.size}")
    if first.sum() == 0 or second.sum() == 0 or not scale > 0:
        return math.nan
    gap = np.concatenate([[0.0], np.cumsum(shares(first) - shares(second))])
    left, right = gap[:-1], gap[1:]
    size = np.abs(left) + np.abs(right)
    crosses = left * right < 0
    # Two triangles where the line crosses zero, a trapezium elsewhere.
    triangles = (left**2 + right**2) / np.where(size > 0, 2.0 * size, 1.0)
    area = np.where(crosses, triangles, size / 2.0) * np.diff(limits)
    return float(area.sum()) / scale
