"""Correction of many p-values at once: the false discovery rate."""

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.counts import FloatArray

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(p_values: npt.ArrayLike) -> FloatArray:
    """Return the adjusted p-values; those at or below q are discoveries with a false discovery rate of at most q.

    Where nothing moved at all, q is also the chance of any discovery.

    Parameters
    ----------
    p_values : array_like of shape (n_tests,), in [0, 1]
        NaN marks a test that could not be made: it is not counted, and stays NaN.

    Returns
    -------
    ndarray of shape (n_tests,), in [0, 1]

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1].

    References
    ----------
    Benjamini and Hochberg, Controlling the false discovery rate, JRSS B 57 (1995); Benjamini and Yekutieli (2001)
    for positively dependent tests.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    values = np.asarray(p_values, dtype=np.float64).ravel()
    if np.any((values < 0) | (values > 1)):
        raise ValueError(f"p-values lie in [0, 1]; got {values[(values < 0) | (values > 1)][0]}")
    adjusted = np.full(values.shape, np.nan)
    made = np.flatnonzero(~np.isnan(values))
    order = made[np.argsort(values[made], kind="stable")]
    scaled = values[order] * order.size / np.arange(1, order.size + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
