"""Area under the ROC curve with DeLong's variance.

E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
operating characteristic curves", Biometrics 44 (1988); computed in O(n log n) after X. Sun and W. Xu, "Fast
implementation of DeLong's algorithm", IEEE Signal Processing Letters 21 (2014).
"""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.estimate import Z_95, Estimate, normal_estimate
from loanwatch.statistics.ranks import midranks
from loanwatch.statistics.special import erfc

__all__ = ["Difference", "delong_estimate", "delong_paired_difference", "delong_two_sample_difference", "difference_of"]


@record
class Difference:
    """A difference with its 95 % interval and the two-sided p-value of "there is none"."""

    value: float
    standard_error: float
    lower: float
    upper: float
    p_value: float


def delong_estimate(label: NDArray[np.bool_], score: NDArray[np.float64]) -> Estimate:
    """Return the AUC with its 95 % interval.

    The interval is symmetric on the logit scale, so that it stays inside (0, 1). Where the scores separate the classes
    perfectly the variance is zero, and the exact binomial limit with as many trials as the smaller class has rows
    stands in.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
        True for the positive class.
    score : ndarray of shape (n,)
        Finite; higher means more likely positive.

    Returns
    -------
    Estimate
        All `nan` with one class only; standard error and interval `nan` with fewer than two rows of a class.

    Examples
    --------
    >>> found = delong_estimate(np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2]))
    >>> round(found.value, 3), round(found.standard_error, 3)
    (0.75, 0.354)
    """
    positive, negative = _placements(label, score)
    if not positive.size or not negative.size:
        return normal_estimate(float("nan"), float("nan"))
    value = float(positive.mean())
    error = float(np.sqrt(_variance_of_mean(positive) + _variance_of_mean(negative)))
    if np.isnan(error):
        return normal_estimate(value, error)
    if error == 0.0 or value in (0.0, 1.0):
        room = 1.0 - 0.025 ** (1.0 / min(positive.size, negative.size))
        return Estimate(value=value, standard_error=error, lower=max(value - room, 0.0), upper=min(value + room, 1.0))
    logit, spread = np.log(value / (1.0 - value)), Z_95 * error / (value * (1.0 - value))
    lower, upper = 1.0 / (1.0 + np.exp(-(logit + np.array([-spread, spread]))))
    return Estimate(value=value, standard_error=error, lower=float(lower), upper=float(upper))


def delong_paired_difference(
    label: NDArray[np.bool_], first: NDArray[np.float64], second: NDArray[np.float64]
) -> Difference:
    """Return AUC(first) − AUC(second) of two scores of the same rows.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    first, second : ndarray of shape (n,)
        Finite scores of the same rows.

    Returns
    -------
    Difference
        All `nan` with one class only. Two scores that order the rows alike differ by 0 with p-value 1.

    Examples
    --------
    >>> label, score = np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2])
    >>> delong_paired_difference(label, score, score / 2).p_value
    1.0
    """
    positive_1, negative_1 = _placements(label, first)
    positive_2, negative_2 = _placements(label, second)
    positive, negative = positive_1 - positive_2, negative_1 - negative_2
    if not positive.size or not negative.size:
        return _difference(float("nan"), float("nan"))
    return _difference(float(positive.mean()), _variance_of_mean(positive) + _variance_of_mean(negative))


def delong_two_sample_difference(
    label_1: NDArray[np.bool_],
    score_1: NDArray[np.float64],
    label_2: NDArray[np.bool_],
    score_2: NDArray[np.float64],
) -> Difference:
    """Return AUC₁ − AUC₂ of two independent samples.

    Parameters
    ----------
    label_1, score_1 : ndarray of shape (n₁,)
    label_2, score_2 : ndarray of shape (n₂,)

    Returns
    -------
    Difference
        All `nan` where a sample has one class only.

    Examples
    --------
    >>> label, score = np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2])
    >>> round(delong_two_sample_difference(label, score, label, score).standard_error, 3)
    0.5
    """
    return difference_of(delong_estimate(label_1, score_1), delong_estimate(label_2, score_2))


def difference_of(first: Estimate, second: Estimate) -> Difference:
    """Return first − second of two independent estimates of an AUC.

    Examples
    --------
    >>> area = delong_estimate(np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2]))
    >>> round(difference_of(area, area).standard_error, 3)
    0.5
    """
    return _difference(first.value - second.value, first.standard_error**2 + second.standard_error**2)


def _placements(
    label: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each positive, the share of negatives below it, and for each negative the share of positives above.

    Ties count one half. Both are empty where a class is missing.
    """
    score = np.asarray(score, dtype=np.float64)
    label = np.asarray(label, dtype=bool)
    n_positive = int(label.sum())
    n_negative = label.size - n_positive
    if not n_positive or not n_negative:
        return np.empty(0), np.empty(0)
    overall = midranks(score)
    positive = (overall[label] - midranks(score[label])) / n_negative
    negative = 1.0 - (overall[~label] - midranks(score[~label])) / n_positive
    return positive, negative


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1) / values.size) if values.size > 1 else float("nan")


def _difference(value: float, variance: float) -> Difference:
    error = float(np.sqrt(variance))
    estimate = normal_estimate(value, error, minimum=-1.0, maximum=1.0)
    z = abs(value) / error if error != 0.0 else np.where(value == 0.0, 0.0, np.inf)
    p_value = float(erfc(z / np.sqrt(2.0)))
    return Difference(value=value, standard_error=error, lower=estimate.lower, upper=estimate.upper, p_value=p_value)
