"""The χ² distribution: upper tail, quantile, and what a test of given size can see."""

import math

from loanwatch.statistics.special import chdtrc, chdtri, chndtrinc

__all__ = ["chi_square_p", "chi_square_quantile", "detectable_noncentrality"]


def chi_square_p(statistic: float, degrees_of_freedom: int) -> float:
    """Return P(χ² ≥ statistic); `nan` when the statistic is NaN or there is no degree of freedom.

    >>> round(chi_square_p(3.841458820694124, 1), 6)
    0.05
    """
    if degrees_of_freedom < 1 or math.isnan(statistic):
        return math.nan
    return float(chdtrc(degrees_of_freedom, max(statistic, 0.0)))


def chi_square_quantile(probability: float, degrees_of_freedom: int) -> float:
    """Return the value that χ² stays below with this probability.

    >>> round(chi_square_quantile(0.95, 1), 4)
    3.8415
    """
    return float(chdtri(degrees_of_freedom, 1.0 - probability))


def detectable_noncentrality(degrees_of_freedom: int, *, level: float, power: float = 0.8) -> float:
    """Return the noncentrality that a χ² test at `level` finds with probability `power`.

    Divided by the effective sample size it is the smallest effect that the test can be trusted to see.

    >>> round(detectable_noncentrality(1, level=0.05), 2)
    7.85
    """
    critical = float(chdtri(degrees_of_freedom, level))
    return float(chndtrinc(critical, degrees_of_freedom, 1.0 - power))
