"""Intervals for a share of rows."""

import math

from loanwatch.statistics.estimate import Z_95, Estimate
from loanwatch.statistics.special import bdtr, betaincinv

__all__ = ["clopper_pearson", "exact_binomial_p_value", "wilson"]


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """Return a share with its exact interval, which by default covers 95 %.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934).

    Returns
    -------
    Estimate
        `nan` without trials.

    Examples
    --------
    >>> found = clopper_pearson(0, 10)
    >>> found.lower, round(found.upper, 4)
    (0.0, 0.3085)
    """
    if trials == 0:
        return _unknown()
    share = successes / trials
    tail = (1.0 - confidence) / 2.0
    lower = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    upper = float(betaincinv(successes + 1, trials - successes, 1.0 - tail)) if successes < trials else 1.0
    return Estimate(value=share, standard_error=_standard_error(share, trials), lower=lower, upper=upper)


def wilson(successes: int, trials: int) -> Estimate:
    """Return a share with Wilson's 95 % score interval, whose mean coverage is nearer to 95 % than the exact one's.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927).

    Returns
    -------
    Estimate
        `nan` without trials.

    Examples
    --------
    >>> found = wilson(5, 10)
    >>> round(found.lower, 4), round(found.upper, 4)
    (0.2366, 0.7634)
    """
    if trials == 0:
        return _unknown()
    share, square = successes / trials, Z_95**2 / trials
    centre = (share + square / 2.0) / (1.0 + square)
    half = Z_95 * math.sqrt(share * (1.0 - share) / trials + square / (4.0 * trials)) / (1.0 + square)
    return Estimate(
        value=share,
        standard_error=_standard_error(share, trials),
        lower=0.0 if successes == 0 else max(centre - half, 0.0),
        upper=1.0 if successes == trials else min(centre + half, 1.0),
    )


def exact_binomial_p_value(successes: int, trials: int, probability: float) -> float:
    """Return the two-sided p-value of a count: twice the smaller tail, at most 1.

    Parameters
    ----------
    successes, trials : int
    probability : float in [0, 1]
        The share expected.

    Returns
    -------
    float
        1 without trials.

    Examples
    --------
    >>> round(exact_binomial_p_value(0, 5, 0.5), 4)
    0.0625
    """
    if trials == 0:
        return 1.0
    below = float(bdtr(successes, trials, probability))
    above = 1.0 - (float(bdtr(successes - 1, trials, probability)) if successes else 0.0)
    return min(1.0, 2.0 * min(below, above))


def _standard_error(share: float, trials: int) -> float:
    return math.sqrt(share * (1.0 - share) / trials)


def _unknown() -> Estimate:
    nan = float("nan")
    return Estimate(value=nan, standard_error=nan, lower=nan, upper=nan)
