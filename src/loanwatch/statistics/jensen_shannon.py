"""Jensen–Shannon distance of two histograms."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.counts import as_counts, shares
from loanwatch.statistics.special import rel_entr

__all__ = ["jensen_shannon"]


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    r"""Return the Jensen–Shannon distance, the root of the divergence to base 2.

    .. math:: JS = \sqrt{\tfrac12 KL(p \| m) + \tfrac12 KL(q \| m)}, \quad m = (p + q) / 2

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, over the same bins.

    Returns
    -------
    float
        In [0, 1]; `nan` when a window has no row.

    Raises
    ------
    ValueError
        If the histograms differ in shape or hold a negative or non-finite count.

    References
    ----------
    Lin, Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37 (1991).

    Examples
    --------
    >>> jensen_shannon([10, 0], [0, 3])
    1.0
    """
    first, second = as_counts(reference, current)
    if first.sum() == 0 or second.sum() == 0:
        return math.nan
    p, q = shares(first), shares(second)
    middle = (p + q) / 2.0
    divergence = (float(np.sum(rel_entr(p, middle))) + float(np.sum(rel_entr(q, middle)))) / 2.0
    return math.sqrt(min(max(divergence / math.log(2.0), 0.0), 1.0))
