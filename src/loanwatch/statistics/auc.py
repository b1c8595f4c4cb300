"""Area under the ROC curve, and the Gini coefficient made from it."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.ranks import midranks

__all__ = ["auc", "gini"]


def auc(label: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the probability that a positive row scores above a negative one, ties counted half (Mann–Whitney).

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    score : ndarray of shape (n,)
        Finite; higher means more likely positive.

    Returns
    -------
    float in [0, 1]
        `nan` with one class only.

    Examples
    --------
    >>> auc(np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2]))
    0.75
    """
    label = np.asarray(label, dtype=bool)
    n_positive = int(label.sum())
    n_negative = label.size - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    rank_sum = midranks(np.asarray(score, dtype=np.float64))[label].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2.0) / (n_positive * n_negative))


def gini(area: float) -> float:
    """Return 2 × AUC − 1, the credit industry's Gini coefficient (accuracy ratio).

    Examples
    --------
    >>> gini(0.75)
    0.5
    """
    return 2.0 * area - 1.0
