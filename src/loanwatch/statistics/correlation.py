"""Change of a correlation between two windows."""

import math

from loanwatch.records import record
from loanwatch.statistics.normal import two_sided_p

__all__ = ["CorrelationChange", "correlation_change"]

_LIMIT = 0.999999
"""Correlations are held off ±1, where Fisher's z is infinite."""


@record
class CorrelationChange:
    """Current minus reference correlation, its z statistic and two-sided p-value."""

    change: float
    z: float
    p_value: float


def correlation_change(
    reference: float,
    n_reference: int,
    current: float,
    n_current: int,
    *,
    kurtosis_factor: float = 1.0,
    dispersion: float = 1.0,
) -> CorrelationChange:
    r"""Compare two correlations on Fisher's scale.

    .. math:: z = \frac{\operatorname{artanh} r_c - \operatorname{artanh} r_r}
                      {\sqrt{\kappa \varphi (1/(n-3) + 1/(m-3))}}

    Parameters
    ----------
    reference, current : float, in [-1, 1]
    n_reference, n_current : int
        Rows in which both variables are known.
    kurtosis_factor : float, > 0
        Variance of artanh r times n: 1 for a bivariate normal distribution (κ), larger with heavy or tied tails.
    dispersion : float, >= 1
        Variance of day over that of independent rows (φ).

    Returns
    -------
    CorrelationChange
        `nan` where a correlation is NaN or a window has fewer than 4 rows.

    References
    ----------
    Fisher, On the probable error of a coefficient of correlation (1921). Steiger and Hakstian, The asymptotic
    distribution of elements of a correlation matrix, British Journal of Mathematical and Statistical Psychology 35
    (1982), for κ.

    Examples
    --------
    >>> result = correlation_change(0.5, 103, -0.5, 103)
    >>> round(result.change, 2), round(result.z, 2)
    (-1.0, -7.77)
    """
    if math.isnan(reference) or math.isnan(current) or min(n_reference, n_current) < 4:
        return CorrelationChange(change=math.nan, z=math.nan, p_value=math.nan)
    variance = max(kurtosis_factor, 0.0) * max(dispersion, 1.0) * (1.0 / (n_reference - 3) + 1.0 / (n_current - 3))
    if variance <= 0.0:
        return CorrelationChange(change=current - reference, z=math.nan, p_value=math.nan)
    z = (_artanh(current) - _artanh(reference)) / math.sqrt(variance)
    return CorrelationChange(change=current - reference, z=z, p_value=two_sided_p(z))


def _artanh(correlation: float) -> float:
    return math.atanh(min(max(correlation, -_LIMIT), _LIMIT))
