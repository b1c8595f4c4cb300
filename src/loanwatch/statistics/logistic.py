"""Logistic regression from an offset, drawn towards it."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.special import expit

__all__ = ["LogisticFit", "fit_logistic_offset"]

_STEPS = 25
_CLOSE_ENOUGH = 1e-7


@record
class LogisticFit:
    """Coefficients and their covariance."""

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]


def fit_logistic_offset(
    design: NDArray[np.float64], label: NDArray[np.float64], offset: NDArray[np.float64], *, ridge: float
) -> LogisticFit:
    """Maximise Σ log-likelihood − ½ ridge |β|² of P(label) = expit(offset + design β) by Newton's method.

    Parameters
    ----------
    design : ndarray of shape (n, columns)
        Columns of about unit scale.
    label : ndarray of shape (n,), 0 or 1
    offset : ndarray of shape (n,)
        Log-odds that hold where all coefficients are 0.
    ridge : float, above 0
        Prior precision of each coefficient.

    Returns
    -------
    LogisticFit
        The covariance is the inverse of the penalised information.

    Examples
    --------
    >>> label = np.array([1.0] * 30 + [0.0] * 10)
    >>> fit = fit_logistic_offset(np.ones((40, 1)), label, np.zeros(40), ridge=1e-9)
    >>> round(float(fit.coefficients[0]), 3)
    1.099
    """
    beta = np.zeros(design.shape[1])
    best = _objective(design, label, offset, ridge, beta)
    for _ in range(_STEPS):
        mean = expit(offset + design @ beta)
        information = (design * (mean * (1.0 - mean))[:, None]).T @ design + ridge * np.eye(beta.size)
        step = np.linalg.solve(information, design.T @ (label - mean) - ridge * beta)
        while (after := _objective(design, label, offset, ridge, beta + step)) < best and np.abs(step).max() > 1e-9:
            step = step / 2.0
        beta, gained, best = beta + step, after - best, max(after, best)
        if gained < _CLOSE_ENOUGH * label.size:
            break
    return LogisticFit(coefficients=beta, covariance=np.linalg.inv(information).astype(np.float64))


def _objective(
    design: NDArray[np.float64],
    label: NDArray[np.float64],
    offset: NDArray[np.float64],
    ridge: float,
    beta: NDArray[np.float64],
) -> float:
    line = offset + design @ beta
    return float((label * line - np.logaddexp(0.0, line)).sum() - 0.5 * ridge * (beta**2).sum())
