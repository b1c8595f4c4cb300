"""How well probabilities agreed with what happened: fifteen figures with their uncertainty."""

import math

import numpy as np
from numpy.typing import NDArray

from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_arrays import checked_labels, checked_probabilities
from loanwatch.statistics.average_precision import average_precision, average_precision_of_counts
from loanwatch.statistics.binomial import wilson
from loanwatch.statistics.bootstrap import poisson_bootstrap_errors
from loanwatch.statistics.calibration import (
    calibration_error,
    calibration_error_of_counts,
    calibration_line,
    score_band_edges,
)
from loanwatch.statistics.confusion import confusion
from loanwatch.statistics.delong import delong_estimate
from loanwatch.statistics.estimate import Estimate, normal_estimate
from loanwatch.statistics.ks_score import ks_score, ks_score_of_counts
from loanwatch.statistics.mean_loss import brier_losses, log_losses, mean_estimate

__all__ = ["PERFORMANCE_METRICS", "measure_performance"]

PERFORMANCE_METRICS = (
    "auc",
    "gini",
    "ks",
    "pr_auc",
    "brier",
    "log_loss",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "calibration_error",
    "calibration_slope",
    "calibration_intercept",
    "approval_rate",
    "base_rate",
)
"""The names that `measure_performance` returns, in its order."""

_RESAMPLING_CELLS = 500


def measure_performance(
    label: NDArray[np.bool_],
    probability: NDArray[np.float64],
    *,
    threshold: float = 0.5,
    seed: int = 0,
    with_intervals: bool = True,
) -> tuple[Measurement, ...]:
    """Compare labels with the probabilities that were given beforehand.

    Intervals cover 95 %: DeLong for AUC and Gini, Wilson for shares of rows, the central limit theorem for Brier and
    log loss, Wald for the calibration line, and value ± 1.96 bootstrap standard errors elsewhere.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
        True where the application had the contract's positive label.
    probability : ndarray of shape (n,), in [0, 1]
        P(positive) as the model gave it.
    threshold : float in [0, 1]
        A probability at or above it is a positive decision.
    seed : int
        Of the resampling; the same seed gives the same interval.
    with_intervals : bool
        False leaves out the intervals and the time they take.

    Returns
    -------
    tuple of Measurement
        One for each of `PERFORMANCE_METRICS`, in that order. `auc`, `gini`, `ks` and the calibration line are `nan`
        with one class only; `pr_auc` and `recall` without a positive row; `precision` without a positive decision;
        everything without rows. `lower` and `upper` are None where they are not known.

    Raises
    ------
    LoanwatchError
        If the lengths differ, a probability is outside [0, 1] or not a number, or a label is neither 0 nor 1.

    Examples
    --------
    >>> label, probability = np.array([True, False, True, False]), np.array([0.8, 0.7, 0.6, 0.2])
    >>> found = {m.name: round(m.value, 3) for m in measure_performance(label, probability)}
    >>> found["auc"], found["accuracy"], found["approval_rate"]
    (0.75, 0.75, 0.75)
    """
    probability = checked_probabilities(probability)
    label = checked_labels(label, probability.size)
    area = delong_estimate(label, probability)
    line = calibration_line(label, probability)
    estimates = {
        "auc": area,
        "gini": Estimate(
            value=2 * area.value - 1,
            standard_error=2 * area.standard_error,
            lower=2 * area.lower - 1,
            upper=2 * area.upper - 1,
        ),
        "brier": mean_estimate(brier_losses(label, probability), minimum=0.0),
        "log_loss": mean_estimate(log_losses(label, probability), minimum=0.0),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        **_decision_estimates(label, probability >= threshold),
        **_resampled_estimates(label, probability, threshold=threshold, seed=seed, with_intervals=with_intervals),
    }
    return tuple(
        _measurement(name, estimates[name], rows=label.size, with_interval=with_intervals)
        for name in PERFORMANCE_METRICS
    )


def _decision_estimates(label: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> dict[str, Estimate]:
    counts = confusion(label, predicted)
    return {
        "accuracy": wilson(counts.correct, counts.total),
        "precision": wilson(counts.true_positive, counts.predicted_positive),
        "recall": wilson(counts.true_positive, counts.positive),
        "approval_rate": wilson(counts.predicted_positive, counts.total),
        "base_rate": wilson(counts.positive, counts.total),
    }


def _resampled_estimates(
    label: NDArray[np.bool_], probability: NDArray[np.float64], *, threshold: float, seed: int, with_intervals: bool
) -> dict[str, Estimate]:
    values = {
        "ks": ks_score(label, probability),
        "pr_auc": average_precision(label, probability),
        "f1": confusion(label, probability >= threshold).f1,
        "calibration_error": calibration_error(label, probability),
    }
    errors = dict.fromkeys(values, float("nan"))
    if with_intervals and label.size:
        errors = _bootstrap_errors(label, probability, threshold=threshold, seed=seed)
    return {name: normal_estimate(v, errors[name], minimum=0.0, maximum=1.0) for name, v in values.items()}


def _bootstrap_errors(
    label: NDArray[np.bool_], probability: NDArray[np.float64], *, threshold: float, seed: int
) -> dict[str, float]:
    edges = np.union1d(score_band_edges(probability, bands=_RESAMPLING_CELLS), [threshold])
    cell = np.searchsorted(edges, probability, side="right")
    cells = edges.size + 1
    positive = np.bincount(cell[label], minlength=cells).astype(np.float64)
    negative = np.bincount(cell[~label], minlength=cells).astype(np.float64)
    rows = positive + negative
    expected = np.bincount(cell, weights=probability, minlength=cells) / np.maximum(rows, 1.0)
    band = np.searchsorted(score_band_edges(probability), expected, side="right")
    in_band = (band[:, None] == np.arange(band.max() + 1)).astype(np.float64)
    above = np.arange(cells) > int(np.searchsorted(edges, threshold))

    def resampled_f1(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        hits, alarms, total = a @ above, (a + b) @ above, a.sum(axis=1)
        f1: NDArray[np.float64] = np.divide(
            2 * hits, alarms + total, out=np.full(hits.shape, np.nan), where=alarms + total > 0
        )
        return f1

    def resampled_calibration_error(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return calibration_error_of_counts((a - (a + b) * expected) @ in_band, (a + b) @ in_band)

    statistics = (ks_score_of_counts, average_precision_of_counts, resampled_f1, resampled_calibration_error)
    errors = poisson_bootstrap_errors((positive, negative), statistics, seed=seed)
    return dict(zip(("ks", "pr_auc", "f1", "calibration_error"), errors, strict=True))


def _measurement(name: str, estimate: Estimate, *, rows: int, with_interval: bool) -> Measurement:
    known = with_interval and not (math.isnan(estimate.lower) or math.isnan(estimate.upper))
    return Measurement(
        name=name,
        value=float(estimate.value),
        lower=float(estimate.lower) if known else None,
        upper=float(estimate.upper) if known else None,
        n_current=int(rows),
    )
