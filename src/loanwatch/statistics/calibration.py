"""Whether a probability of 0.7 comes true in 70 % of cases."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.estimate import Estimate, normal_estimate
from loanwatch.statistics.ranks import distinct, quantiles
from loanwatch.statistics.special import erfc, expit, logit

__all__ = [
    "CalibrationLine",
    "calibration_error",
    "calibration_error_of_counts",
    "calibration_line",
    "score_band_edges",
    "spiegelhalter",
]

_SMALLEST_PROBABILITY = 1e-6
_NEWTON_STEPS = 50


@record
class CalibrationLine:
    """logit P(label) = intercept + slope × logit(probability). A calibrated model has intercept 0 and slope 1."""

    slope: Estimate
    intercept: Estimate


def score_band_edges(probability: NDArray[np.float64], *, bands: int = 10) -> NDArray[np.float64]:
    """Return the inner edges of bands of equal numbers of rows; fewer where scores repeat.

    A value v lies in band `np.searchsorted(edges, v, side="right")`.

    Examples
    --------
    >>> score_band_edges(np.array([0.1, 0.2, 0.3, 0.4]), bands=2).tolist()
    [0.25]
    """
    if probability.size == 0:
        return np.empty(0)
    edges: NDArray[np.float64] = distinct(quantiles(probability, np.arange(1, bands) / bands))
    inner: NDArray[np.float64] = edges[edges > probability.min()]
    return inner


def calibration_error(label: NDArray[np.bool_], probability: NDArray[np.float64], *, bands: int = 10) -> float:
    """Return the expected calibration error: mean over rows of |observed − expected share| of their score band.

    The bands hold equal numbers of rows. Chance alone makes it positive, about √(2 p (1 − p) bands / (π n)).

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015.

    Returns
    -------
    float in [0, 1]
        `nan` without rows.

    Examples
    --------
    >>> round(calibration_error(np.array([True, False]), np.array([0.8, 0.1]), bands=2), 3)
    0.15
    """
    if probability.size == 0:
        return float("nan")
    band = np.searchsorted(score_band_edges(probability, bands=bands), probability, side="right")
    rows = np.bincount(band).astype(np.float64)
    gap = np.bincount(band, weights=np.asarray(label, dtype=np.float64) - probability)
    return float(calibration_error_of_counts(gap.astype(np.float64)[None, :], rows[None, :])[0])


def calibration_error_of_counts(gap: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same of sums by band, for many samples at once.

    Parameters
    ----------
    gap, rows : ndarray of shape (samples, bands)
        Σ (label − probability), and rows, of each band.

    Returns
    -------
    ndarray of shape (samples,)
        `nan` for a sample without rows.
    """
    total = rows.sum(axis=1)
    result: NDArray[np.float64] = np.divide(
        np.abs(gap).sum(axis=1), total, out=np.full(total.shape, np.nan), where=total > 0
    )
    return result


def calibration_line(label: NDArray[np.bool_], probability: NDArray[np.float64]) -> CalibrationLine:
    """Fit Cox's recalibration line by maximum likelihood, with Wald intervals.

    Probabilities are cut to [1e-6, 1 − 1e-6].

    Source: D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958).

    Returns
    -------
    CalibrationLine
        All `nan` with one class only, one distinct probability, or classes that the probability separates perfectly
        (the likelihood then has no maximum).

    Examples
    --------
    >>> label = np.array([True, True, False, True, False, False])
    >>> line = calibration_line(label, np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1]))
    >>> round(line.slope.value, 2), abs(round(line.intercept.value, 2))
    (0.9, 0.0)
    """
    nan = normal_estimate(float("nan"), float("nan"))
    unknown = CalibrationLine(slope=nan, intercept=nan)
    label = np.asarray(label, dtype=bool)
    x = logit(np.clip(probability, _SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY))
    if label.size == 0 or label.all() or not label.any() or np.ptp(x) == 0.0 or _separates(label, x):
        return unknown
    design = np.column_stack([np.ones_like(x), x])
    fitted = _fit_logistic(design, label.astype(np.float64))
    if fitted is None:
        return unknown
    (intercept, slope), covariance = fitted
    errors = np.sqrt(np.diag(covariance))
    return CalibrationLine(
        slope=normal_estimate(float(slope), float(errors[1])),
        intercept=normal_estimate(float(intercept), float(errors[0])),
    )


def spiegelhalter(label: NDArray[np.bool_], probability: NDArray[np.float64]) -> tuple[float, float]:
    """Return Spiegelhalter's z and its two-sided p-value; z is standard normal where the model is calibrated.

    z = Σ (y − p)(1 − 2p) / √Σ (1 − 2p)² p (1 − p)

    Source: D. J. Spiegelhalter, Statistics in Medicine 5 (1986).

    Returns
    -------
    tuple of float
        `(nan, nan)` where every probability is 0, ½ or 1, or without rows.

    Examples
    --------
    >>> z, p_value = spiegelhalter(np.array([True, False]), np.array([0.8, 0.2]))
    >>> round(z, 3), round(p_value, 3)
    (-0.707, 0.48)
    """
    weight = 1.0 - 2.0 * probability
    variance = float((weight**2 * probability * (1.0 - probability)).sum())
    if variance <= 0.0:
        return float("nan"), float("nan")
    z = float(((np.asarray(label, dtype=np.float64) - probability) * weight).sum()) / variance**0.5
    return z, float(erfc(abs(z) / 2.0**0.5))


def _separates(label: NDArray[np.bool_], x: NDArray[np.float64]) -> bool:
    return bool(x[label].min() >= x[~label].max() or x[label].max() <= x[~label].min())


def _fit_logistic(
    design: NDArray[np.float64], label: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return coefficients and covariance by Newton's method with halved steps, or None where it finds no maximum."""
    beta = np.zeros(design.shape[1])
    best = _log_likelihood(design, label, beta)
    for _ in range(_NEWTON_STEPS):
        mean = expit(design @ beta)
        information = (design * (mean * (1.0 - mean))[:, None]).T @ design
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (label - mean))
        candidate = beta + step
        while (value := _log_likelihood(design, label, candidate)) < best - 1e-9 and np.abs(step).max() > 1e-12:
            step /= 2.0
            candidate = beta + step
        beta, best = candidate, value
        if np.abs(step).max() < 1e-9:
            return beta, np.linalg.inv(information).astype(np.float64)
    return None


def _log_likelihood(design: NDArray[np.float64], label: NDArray[np.float64], beta: NDArray[np.float64]) -> float:
    line = design @ beta
    return float((label * line - np.logaddexp(0.0, line)).sum())
