"""Likelihood-ratio test that two histograms come from one distribution."""

import math

import numpy as np
import numpy.typing as npt

from loanwatch.records import record
from loanwatch.statistics.chi_square import chi_square_p
from loanwatch.statistics.counts import FloatArray, pool_sparse
from loanwatch.statistics.special import xlogy

__all__ = ["GTest", "g_test"]


@record
class GTest:
    """The statistic after Williams' correction and dispersion, its degrees of freedom and its p-value."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def g_test(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    dispersion: float = 1.0,
    minimum_expected: float = 5.0,
    rest: int | None = None,
) -> GTest:
    r"""Test homogeneity of two histograms, sparse bins pooled.

    .. math:: G = \frac{2}{q \varphi} \sum_{w,b} n_{wb} \ln \frac{n_{wb}}{e_{wb}}

    with Williams' q, which brings G close to χ² in small samples.

    Parameters
    ----------
    reference, current : array_like of shape (n_bins,), >= 0
        Rows in each bin, over the same bins, in any order.
    dispersion : float, >= 1
        Variance of the shares over that of independent rows (φ).
    minimum_expected : float, > 0
        Bins in which the smaller window expects fewer rows are pooled.
    rest : int, optional
        The bin of whatever has none of its own, pooled with them.

    Returns
    -------
    GTest
        `nan` with 0 degrees of freedom when fewer than two bins are left or a window has no row.

    Raises
    ------
    ValueError
        If the histograms differ in shape or hold a negative or non-finite count.

    References
    ----------
    Sokal and Rohlf, Biometry (4th ed. 2012), box 17.6. Williams, Improved likelihood ratio tests for complete
    contingency tables, Biometrika 63 (1976).

    Examples
    --------
    >>> g_test([10, 20], [10, 20]).statistic
    0.0
    """
    table = np.stack(pool_sparse(reference, current, minimum_expected=minimum_expected, rest=rest))
    if table.shape[1] < 2 or np.any(table.sum(axis=1) == 0):
        return GTest(statistic=math.nan, degrees_of_freedom=0, p_value=math.nan)
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected = rows * columns / table.sum()
    raw = 2.0 * float(np.sum(xlogy(table, table / expected)))
    statistic = max(raw, 0.0) / _williams(table) / max(dispersion, 1.0)
    degrees = table.shape[1] - 1
    return GTest(statistic=statistic, degrees_of_freedom=degrees, p_value=chi_square_p(statistic, degrees))


def _williams(table: FloatArray) -> float:
    total, bins = table.sum(), table.shape[1]
    by_window = total * np.sum(1.0 / table.sum(axis=1)) - 1.0
    by_bin = total * np.sum(1.0 / table.sum(axis=0)) - 1.0
    return 1.0 + float(by_window * by_bin / (6.0 * total * (bins - 1)))
