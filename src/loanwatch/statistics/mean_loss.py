"""Losses that are means over rows: Brier score and log loss."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.estimate import Estimate, normal_estimate

__all__ = ["brier_losses", "log_losses", "mean_estimate"]

_SMALLEST_PROBABILITY = 1e-15


def brier_losses(label: NDArray[np.bool_], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (label − probability)² of each row; its mean is the Brier score.

    Source: G. W. Brier, "Verification of forecasts expressed in terms of probability", 1950.

    Examples
    --------
    >>> brier_losses(np.array([True, False]), np.array([0.9, 0.2])).round(2).tolist()
    [0.01, 0.04]
    """
    losses: NDArray[np.float64] = (np.asarray(label, dtype=np.float64) - probability) ** 2
    return losses


def log_losses(label: NDArray[np.bool_], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return −log of the probability given to what happened, in nats; its mean is the log loss.

    Probabilities are cut to [1e-15, 1 − 1e-15], so that one certain error does not make the mean infinite.

    Examples
    --------
    >>> log_losses(np.array([True, False]), np.array([0.5, 0.5])).round(4).tolist()
    [0.6931, 0.6931]
    """
    given = np.where(label, probability, 1.0 - np.asarray(probability, dtype=np.float64))
    losses: NDArray[np.float64] = -np.log(np.clip(given, _SMALLEST_PROBABILITY, 1.0 - _SMALLEST_PROBABILITY))
    return losses


def mean_estimate(values: NDArray[np.float64], *, minimum: float = float("-inf")) -> Estimate:
    """Return the mean with the interval of the central limit theorem.

    Parameters
    ----------
    values : ndarray of shape (n,)
    minimum : float
        The interval is cut below here.

    Returns
    -------
    Estimate
        `nan` without rows; standard error and interval `nan` with one.

    Examples
    --------
    >>> mean_estimate(np.array([1.0, 3.0])).value
    2.0
    """
    if values.size == 0:
        return normal_estimate(float("nan"), float("nan"))
    error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")
    return normal_estimate(float(values.mean()), error, minimum=minimum)
