"""AUC with DeLong's variance from counts by score band: many groups of rows at once, without sorting any of them."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["delong_of_counts"]


def delong_of_counts(
    positive: NDArray[np.float64],
    negative: NDArray[np.float64],
    *,
    rows: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return AUC and standard error of each group of rows, scores in one band counting as ties.

    The placements of DeLong's estimate are the same for all rows of a band, so that counts suffice. With bands that
    hold one score each the result is `delong_estimate`'s.

    Source: E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988).

    Parameters
    ----------
    positive, negative : ndarray of shape (..., bands), >= 0
        Rows of each class, from the lowest scores to the highest. Expected rows may be given as well.
    rows : tuple of two ndarray of shape (...), optional
        Positive and negative rows of another sample from the same law, whose standard error is wanted.

    Returns
    -------
    ndarray of shape (...), in [0, 1]
        AUC; `nan` with one class only.
    ndarray of shape (...)
        Standard error; `nan` where a class has fewer than two rows.

    Examples
    --------
    >>> value, error = delong_of_counts(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    >>> round(float(value), 3), round(float(error), 3)
    (0.75, 0.354)
    """
    n, m = positive.sum(axis=-1), negative.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = (np.cumsum(negative, axis=-1) - negative / 2.0) / m[..., None]
        above = 1.0 - (np.cumsum(positive, axis=-1) - positive / 2.0) / n[..., None]
        value = (positive * below).sum(axis=-1) / n
        n_wanted, m_wanted = (n, m) if rows is None else rows
        variance = _variance(positive, below) / n_wanted + _variance(negative, above) / m_wanted
        return np.where((n > 0) & (m > 0), value, np.nan), np.sqrt(variance)


def _variance(rows: NDArray[np.float64], placement: NDArray[np.float64]) -> NDArray[np.float64]:
    total = rows.sum(axis=-1)
    mean = (rows * placement).sum(axis=-1) / total
    squares = (rows * (placement - mean[..., None]) ** 2).sum(axis=-1)
    variance: NDArray[np.float64] = np.where(total > 1, squares / (total - 1.0), np.nan)
    return variance
