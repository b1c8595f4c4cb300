"""Average precision, the step-wise area under the precision–recall curve."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.ranks import class_counts

__all__ = ["average_precision", "average_precision_of_counts"]


def average_precision(label: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores in descending order; no interpolation.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    score : ndarray of shape (n,)
        Finite.

    Returns
    -------
    float in [0, 1]
        `nan` without a positive row.

    Examples
    --------
    >>> round(average_precision(np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2])), 4)
    0.8333
    """
    positive, negative = class_counts(label, score)
    return float(average_precision_of_counts(positive[None, :], negative[None, :])[0])


def average_precision_of_counts(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same of counts by ascending score cell, for many samples at once.

    Parameters
    ----------
    positive, negative : ndarray of shape (samples, cells)

    Returns
    -------
    ndarray of shape (samples,)
        `nan` for a sample without a positive row.

    Examples
    --------
    >>> average_precision_of_counts(np.array([[0.0, 2.0]]), np.array([[1.0, 1.0]])).round(4).tolist()
    [0.6667]
    """
    found = positive[:, ::-1].cumsum(axis=1)
    taken = found + negative[:, ::-1].cumsum(axis=1)
    total = positive.sum(axis=1)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    area = (precision * positive[:, ::-1]).sum(axis=1)
    result: NDArray[np.float64] = np.divide(area, total, out=np.full(total.shape, np.nan), where=total > 0)
    return result
