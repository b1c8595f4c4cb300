"""Ranks with ties shared."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["midranks"]


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
