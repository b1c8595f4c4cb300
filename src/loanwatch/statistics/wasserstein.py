"""Wasserstein distance (earth mover's) from counts over bins."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.counts import FloatArray, as_counts, shares

__all__ = ["wasserstein"]


def wasserstein(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    boundaries: npt.ArrayLike,
    *,
    scale: float = 1.0,
    sums: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> float:
    r"""Return the area between two distribution functions, in units of `scale`.

    .. math:: W_1 = \frac{1}{s} \int |F(x) - G(x)| \, dx

    With the sums of the values in each bin the area over a bin [a, b] in which the functions do not cross is exact,
    :math:`|[x(F - G)]_a^b - (S_F / n - S_G / m)|` (integration by parts); where they cross, each window's rows are
    put at their mean. Without the sums both functions are taken as straight lines, which is coarse in wide bins.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, bins in ascending order of value.
    boundaries : array_like of shape (n_bins + 1,)
        Ascending finite boundaries: bin b lies between the b-th and the next.
    scale : float, > 0
        The reference's standard deviation makes the distance comparable between columns.
    sums : tuple of two array_like of shape (n_bins,), optional
        Sum of the values in each bin, of reference and current, from the same origin as the boundaries.

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
    >>> round(wasserstein([1, 0], [0, 1], [0.0, 1.0, 2.0], sums=([0.9, 0.0], [0.0, 1.1])), 6)
    0.2
    """
    first, second = as_counts(reference, current)
    limits = np.asarray(boundaries, dtype=np.float64)
    if limits.shape != (first.size + 1,):
        raise ValueError(f"{first.size} bins need {first.size + 1} boundaries, got {limits.size}")
    if first.sum() == 0 or second.sum() == 0 or not scale > 0:
        return math.nan
    gap = np.concatenate([[0.0], np.cumsum(shares(first) - shares(second))])
    left, right = gap[:-1], gap[1:]
    if sums is None:
        return float(_straight(left, right, limits).sum()) / scale
    totals = tuple(np.asarray(values, dtype=np.float64) for values in sums)
    return float(_from_sums((first, second), totals, left, right, limits).sum()) / scale


def _straight(left: FloatArray, right: FloatArray, limits: FloatArray) -> FloatArray:
    """Two triangles where the line crosses zero, a trapezium elsewhere."""
    size = np.abs(left) + np.abs(right)
    triangles = (left**2 + right**2) / np.where(size > 0, 2.0 * size, 1.0)
    return np.asarray(np.where(left * right < 0, triangles, size / 2.0) * np.diff(limits))


def _from_sums(
    counts: tuple[FloatArray, FloatArray],
    sums: tuple[FloatArray, ...],
    left: FloatArray,
    right: FloatArray,
    limits: FloatArray,
) -> FloatArray:
    low, high = limits[:-1], limits[1:]
    total = counts[0].sum(), counts[1].sum()
    signed = right * high - left * low - (sums[0] / total[0] - sums[1] / total[1])
    means = [np.divide(s, c, out=low.copy(), where=c > 0).clip(low, high) for s, c in zip(sums, counts, strict=True)]
    first_is_lower = means[0] <= means[1]
    between = left + np.where(first_is_lower, counts[0] / total[0], -counts[1] / total[1])
    lower, upper = np.minimum(*means), np.maximum(*means)
    steps = np.abs(left) * (lower - low) + np.abs(between) * (upper - lower) + np.abs(right) * (high - upper)
    return np.asarray(np.where(left * right < 0, steps, np.abs(signed)))
