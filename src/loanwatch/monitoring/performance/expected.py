"""What labels would show if they were drawn with given probabilities (confidence-based performance estimation)."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.estimate import Estimate, normal_estimate
from loanwatch.statistics.ranks import midranks

__all__ = ["estimate_accuracy", "estimate_auc", "expected_auc"]

_RESAMPLES = 200


def estimate_auc(
    probability: NDArray[np.float64],
    *,
    expected: NDArray[np.float64] | None = None,
    extra_error: float = 0.0,
    seed: int = 0,
) -> Estimate:
    """Return the AUC expected of labels drawn with these probabilities (confidence-based performance estimation).

    Σᵢⱼ qᵢ (1 − qⱼ) (1[pᵢ > pⱼ] + ½ 1[pᵢ = pⱼ]) / Σᵢⱼ qᵢ (1 − qⱼ), i ≠ j, of the score p and the expected label q. It
    holds while P(label | features) has not changed; a changed relation is invisible to it. The interval is that of the
    figure which the labels will show.

    Source: NannyML, "Confidence-based performance estimation"; J. Białek et al., arXiv 2407.08649.

    Parameters
    ----------
    probability : ndarray of shape (n,), in [0, 1]
        What ranks the applications; calibrated where `expected` is not given.
    expected : ndarray of shape (n,), in [0, 1], optional
        P(positive) of each row, as far as it is known better than by `probability`.
    extra_error : float
        Standard error of the calibration, added in quadrature.
    seed : int

    Returns
    -------
    Estimate
        `nan` for fewer than two rows, or where all probabilities are 0 or all are 1.

    Examples
    --------
    >>> round(estimate_auc(np.array([0.9, 0.5, 0.1])).value, 3)
    0.94
    """
    expected = probability if expected is None else expected
    value = expected_auc(probability, expected)
    if np.isnan(value):
        return normal_estimate(value, value)
    ranks = midranks(probability)
    generator = np.random.default_rng(seed)
    drawn = np.array([_drawn_auc(generator, ranks, expected) for _ in range(_RESAMPLES)])
    known = drawn[np.isfinite(drawn)]
    spread = float(known.std(ddof=1)) if known.size > _RESAMPLES // 2 else float("nan")
    return normal_estimate(value, float(np.hypot(spread, extra_error)), minimum=0.0, maximum=1.0)


def estimate_accuracy(
    probability: NDArray[np.float64],
    *,
    expected: NDArray[np.float64] | None = None,
    threshold: float = 0.5,
    extra_error: float = 0.0,
) -> Estimate:
    """Return the share of right decisions expected of labels drawn with these probabilities.

    Parameters
    ----------
    probability : ndarray of shape (n,), in [0, 1]
    expected : ndarray of shape (n,), in [0, 1], optional
        P(positive) of each row, as far as it is known better than by `probability`.
    threshold : float
    extra_error : float
        Standard error of the calibration, added in quadrature.

    Returns
    -------
    Estimate
        `nan` without rows.

    Examples
    --------
    >>> round(estimate_accuracy(np.array([0.9, 0.2])).value, 3)
    0.85
    """
    if probability.size == 0:
        return normal_estimate(float("nan"), float("nan"))
    expected = probability if expected is None else expected
    right = np.where(probability >= threshold, expected, 1.0 - expected)
    spread = float(np.sqrt((right * (1.0 - right)).sum()) / right.size)
    return normal_estimate(float(right.mean()), float(np.hypot(spread, extra_error)), minimum=0.0, maximum=1.0)


def expected_auc(probability: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the AUC that labels drawn with the expected probabilities would have on average; `nan` without pairs."""
    cells, inverse = np.unique(probability, return_inverse=True)
    positive = np.bincount(inverse, weights=expected, minlength=cells.size)
    negative = np.bincount(inverse, weights=1.0 - expected, minlength=cells.size)
    own = float((expected * (1.0 - expected)).sum())
    pairs = float(positive.sum() * negative.sum()) - own
    if pairs <= 1e-12:
        return float("nan")
    below = np.cumsum(negative) - negative
    won = float((positive * (below + negative / 2.0)).sum()) - own / 2.0
    return won / pairs


def _drawn_auc(generator: np.random.Generator, ranks: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    label = generator.random(expected.size) < expected
    n_positive = int(label.sum())
    pairs = n_positive * (label.size - n_positive)
    if not pairs:
        return float("nan")
    return float(ranks[label].sum() - n_positive * (n_positive + 1) / 2.0) / pairs
