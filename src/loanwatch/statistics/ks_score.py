"""Kolmogorov–Smirnov distance between the scores of the two classes."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.ranks import class_counts

__all__ = ["ks_score", "ks_score_of_counts"]


def ks_score(label: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return max over s of |F(s | positive) − F(s | negative)|.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    score : ndarray of shape (n,)
        Finite.

    Returns
    -------
    float in [0, 1]
        `nan` with one class only.

    Examples
    --------
    >>> ks_score(np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2]))
    0.5
    """
    positive, negative = class_counts(label, score)
    return float(ks_score_of_counts(positive[None, :], negative[None, :])[0])


def ks_score_of_counts(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same of counts by ascending score cell, for many samples at once.

    Parameters
    ----------
    positive, negative : ndarray of shape (samples, cells)
        Rows of each class in each cell.

    Returns
    -------
    ndarray of shape (samples,)
        `nan` for a sample with one class only.

    Examples
    --------
    >>> ks_score_of_counts(np.array([[0.0, 2.0]]), np.array([[1.0, 1.0]])).tolist()
    [0.5]
    """
    if positive.shape[1] == 0:
        return np.full(positive.shape[0], np.nan)
    below_positive, below_negative = positive.cumsum(axis=1), negative.cumsum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = below_positive / below_positive[:, -1:] - below_negative / below_negative[:, -1:]
    distance: NDArray[np.float64] = np.abs(gap).max(axis=1)
    return distance
