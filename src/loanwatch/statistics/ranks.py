"""What is read off values in their order: ranks, distinct values, quantiles."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

__all__ = ["class_counts", "distinct", "median", "midranks", "quantiles"]


Number = TypeVar("Number", bound=np.number[Any])


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


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return each value once, in ascending order.

    `np.unique` does the same, and so does a part of `np.quantile`, after importing NumPy's masked arrays, which takes
    as long as everything else that a comparison of two short tables asks of them.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers, none of them NaN.

    Examples
    --------
    >>> distinct(np.array([0.3, 0.1, 0.3])).tolist()
    [0.1, 0.3]
    """
    ordered = np.sort(values)
    is_new = np.concatenate([np.ones(min(ordered.size, 1), dtype=np.bool_), ordered[1:] != ordered[:-1]])
    return np.asarray(ordered[is_new])


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


def quantiles(values: NDArray[np.float64], shares: npt.ArrayLike) -> NDArray[np.float64]:
    """Return the values below which these shares lie, between two neighbours in proportion.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One finite number or more.
    shares : array_like of shape (q,), in [0, 1]

    Returns
    -------
    ndarray of shape (q,)
        Definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages" (1996), which is also NumPy's.

    Examples
    --------
    >>> quantiles(np.array([4.0, 1.0, 2.0]), [0.0, 0.5, 0.75]).tolist()
    [1.0, 2.0, 3.0]
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    place = np.asarray(shares, dtype=np.float64) * (ordered.size - 1)
    below = np.floor(place).astype(np.intp)
    low, high = ordered[below], ordered[np.minimum(below + 1, ordered.size - 1)]
    return np.asarray(low + (place - below) * (high - low))


def median(values: NDArray[np.float64]) -> float:
    """Return the value in the middle of one finite number or more.

    >>> median(np.array([4.0, 1.0, 2.0, 8.0]))
    3.0
    """
    return float(quantiles(values, [0.5])[0])
