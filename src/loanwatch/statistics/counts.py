"""Two histograms over the same bins: checking, shares, and pooling of sparse bins."""

import numpy as np
import numpy.typing as npt

__all__ = ["CountArray", "FloatArray", "as_counts", "pool_sparse", "shares"]

_MALFORMED = "counts must be non-negative and finite, over the same bins"

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]


def as_counts(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return two histograms as float arrays.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin.

    Raises
    ------
    ValueError
        If the shapes differ, or a count is negative, infinite or NaN.
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"{_MALFORMED}; got shapes {first.shape} and {second.shape}")
    both = np.concatenate([first, second])
    if not np.all(np.isfinite(both)) or np.any(both < 0):
        raise ValueError(f"{_MALFORMED}; got {both[~np.isfinite(both) | (both < 0)][:3].tolist()}")
    return first, second


def shares(counts: FloatArray) -> FloatArray:
    """Return counts over their total; all zeros where there is no row.

    >>> shares(np.array([1.0, 3.0])).tolist()
    [0.25, 0.75]
    """
    total = counts.sum()
    return counts / total if total > 0 else np.zeros_like(counts)


def pool_sparse(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, minimum_expected: float = 5.0, rest: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Pool the bins in which the smaller window expects fewer than `minimum_expected` rows.

    Which bins are pooled depends on the two windows' sum only, so that under no drift the pooled histograms are
    again two samples of one distribution and the χ² approximation holds (Cochran 1954).

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
    minimum_expected : float, > 0
        Expected rows in the smaller window that a bin needs to stand alone.
    rest : int, optional
        The bin of whatever has none of its own, which always joins the pool. Where the reference decides which values
        have bins it holds too few rows of the rest, and as many too many of rare values: together they are even.

    Returns
    -------
    tuple of two ndarray
        The bins that stand alone in their order, then the pool. Bins empty on both sides vanish.

    Examples
    --------
    >>> pool_sparse([50, 3, 2, 45], [60, 1, 4, 35])
    (array([50., 45.,  5.]), array([60., 35.,  5.]))
    """
    first, second = as_counts(reference, current)
    total = first + second
    loose = np.arange(total.size) == (-1 if rest is None else rest % total.size)
    held = total > 0
    first, second, total, loose = first[held], second[held], total[held], loose[held]
    if total.size == 0 or first.sum() == 0 or second.sum() == 0:
        return first, second
    smaller_share = min(first.sum(), second.sum()) / total.sum()
    sparse = loose | (total * smaller_share < minimum_expected)
    order = np.lexsort((total, ~sparse))
    pooled = int(sparse.sum())
    if pooled == 0:
        return first, second
    together = total[order[:pooled]].sum() * smaller_share
    if together < minimum_expected:  # the sparse bins are sparse even so: the smallest of the others joins them
        pooled = min(pooled + 1, total.size)
    alone = np.sort(order[pooled:])
    pool = order[:pooled]
    return np.append(first[alone], first[pool].sum()), np.append(second[alone], second[pool].sum())
