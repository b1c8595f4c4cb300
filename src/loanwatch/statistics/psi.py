"""Population stability index: how far a histogram moved, as the credit industry measures it."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.chi_square import detectable_noncentrality
from loanwatch.statistics.counts import as_counts

__all__ = ["detectable_psi", "expected_psi", "psi"]


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    r"""Return the population stability index of two histograms.

    .. math:: PSI = \sum_b (q_b - p_b) \ln(q_b / p_b)

    A bin that is empty on one side counts as half a row there, so that the index stays finite and moderate; a bin
    that is empty on both sides is left out.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, over the same bins.

    Returns
    -------
    float
        At least 0; `nan` when a window has no row.

    Raises
    ------
    ValueError
        If the histograms differ in shape or hold a negative or non-finite count.

    References
    ----------
    Siddiqi, Credit Risk Scorecards (2006), chapter 9. Yurdakul, Statistical properties of the population stability
    index (2018).

    Examples
    --------
    >>> round(psi([50, 50], [40, 60]), 4)
    0.0405
    """
    first, second = as_counts(reference, current)
    if first.sum() == 0 or second.sum() == 0:
        return math.nan
    kept = first + second > 0
    first, second = np.maximum(first[kept], 0.5), np.maximum(second[kept], 0.5)
    p, q = first / first.sum(), second / second.sum()
    return float(np.sum((q - p) * np.log(q / p)))


def expected_psi(n_bins: int, n_reference: float, n_current: float) -> float:
    """Return the PSI that sampling alone produces on average: (B − 1)(1/n + 1/m) (Yurdakul 2018, section 3).

    >>> round(expected_psi(10, 15_000, 6_700), 5)
    0.00194
    """
    if n_reference <= 0 or n_current <= 0:
        return math.nan
    return max(n_bins - 1, 0) * (1.0 / n_reference + 1.0 / n_current)


def detectable_psi(n_bins: int, n_reference: float, n_current: float, *, level: float, power: float = 0.8) -> float:
    """Return the smallest PSI that a test at `level` finds with probability `power`.

    PSI ÷ (1/n + 1/m) is close to a noncentral χ² with B − 1 degrees of freedom.

    >>> round(detectable_psi(10, 15_000, 200, level=0.001), 2)
    0.15
    """
    if n_reference <= 0 or n_current <= 0 or n_bins < 2:
        return math.nan
    noncentrality = detectable_noncentrality(n_bins - 1, level=level, power=power)
    return noncentrality * (1.0 / n_reference + 1.0 / n_current)
