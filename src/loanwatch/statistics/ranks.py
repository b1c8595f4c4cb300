"""Ranks with ties shared."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_counts", "midranks"]


def class_counts(
    label: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positive and the negative rows at each distinct score, in ascending order of the score.

    >>> class_counts(np.array([True, False, True]), np.array([0.2, 0.2, 0.8]))
    (array([1., 1.]), array([1., 0.]))
    """
    label = np.asarray(label, dtype=bool)
    cells, inverse = np.unique(score, return_inverse=True)
    positive, negative = (np.bincount(inverse[chosen], minlength=cells.size) for chosen in (label, ~label))
    return positive.astype(np.float64), negative.astype(np.float64)


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value, counted from 1; equal values share the mean of their ranks.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite numbers.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> midranks(np.array([0.3, 0.1, 0.3])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return ranks
