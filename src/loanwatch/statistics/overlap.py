"""Weights under which two samples have the same features, where they overlap at all."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.statistics.special import expit, logit

__all__ = ["overlap_weights"]

_STEPS = 24
_SLOW = 0.5
"""A step promises this share of what the one before did, or the curvature is found anew."""
_RIDGE = 1e-3
"""Rows' worth of evidence that each coefficient is 0; only keeps terms that separate the samples finite."""
_RANK_TOLERANCE = 1e-7
_CLOSE_ENOUGH = 0.001
"""Likelihood that another step would gain, per term, below which it is not taken."""


def overlap_weights(
    design: NDArray[np.float64], changed: NDArray[np.bool_], *, rows_to_fit: int = 12_000
) -> NDArray[np.float64]:
    """Weigh each row by the probability of the sample that it is not in, relative to that sample's share.

    The probability e(x) of the second sample is a logistic regression. Rows of the first sample weigh e(x), those of
    the second 1 − e(x): rows that only one sample has hardly count, and the means of every column of the design become
    the same. The log-odds are drawn towards a constant as James and Stein do, by what chance alone would make of them,
    so that samples which do not differ are hardly weighted at all.

    Source: F. Li, K. L. Morgan and A. M. Zaslavsky, Journal of the American Statistical Association 113 (2018).

    Parameters
    ----------
    design : ndarray of shape (n, columns)
        Without an intercept.
    changed : ndarray of shape (n,), bool
        True for the rows of the second sample; both samples have rows.
    rows_to_fit : int
        The regression is fitted to about so many rows, evenly taken.

    Returns
    -------
    ndarray of shape (n,)
        Above 0; 1 for all rows where the samples do not differ.

    Examples
    --------
    >>> in_second = np.array([False] * 60 + [True] * 60)
    >>> overlap_weights(np.zeros((120, 1)), in_second).tolist() == [1.0] * 120
    True
    """
    share = float(changed.mean())
    step = max(1, changed.size // rows_to_fit)
    centre = design.mean(axis=0)
    coefficients, evidence, terms = _fit(design[::step] - centre, changed[::step].astype(np.float64), share)
    kept = max(0.0, 1.0 - terms / evidence) if evidence > 0 else 0.0
    slopes = kept * coefficients[1:]
    line = logit(share) + kept * coefficients[0] - centre @ slopes + design @ slopes
    second = expit(line)
    weights: NDArray[np.float64] = np.where(changed, (1.0 - second) / (1.0 - share), second / share)
    return weights


def _fit(
    design: NDArray[np.float64], label: NDArray[np.float64], share: float
) -> tuple[NDArray[np.float64], float, int]:
    """Return intercept (beyond the share's) and coefficients, twice the log-likelihood gained, and the rank."""
    full = np.empty((label.size, 1 + design.shape[1]), order="F")
    full[:, 0], full[:, 1:] = 1.0, design
    beta = np.zeros(full.shape[1])
    offset = logit(share)
    start = value = _log_likelihood(np.full(label.size, offset), label)
    inverse, rank = _inverse_curvature(full, np.full(label.size, share))
    promised = np.inf
    for _ in range(_STEPS):
        mean = expit(offset + full @ beta)
        slope = full.T @ (label - mean) - _RIDGE * beta
        # The curvature of an earlier point serves as long as it brings on; to find it takes nearly all of the time.
        if slope @ inverse @ slope > _SLOW * promised:
            inverse, _ = _inverse_curvature(full, mean)
        step = inverse @ slope
        promised = float(slope @ step)
        if not beta.any() and promised <= rank:  # no more than chance: the samples are alike
            break
        while (after := _log_likelihood(offset + full @ (beta + step), label)) < value and np.abs(step).max() > 1e-6:
            step /= 2.0
        beta, value = beta + step, max(after, value)
        if promised < _CLOSE_ENOUGH * rank:
            break
    return beta, 2.0 * (value - start), rank


def _inverse_curvature(design: NDArray[np.float64], mean: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the pseudo-inverse of the information matrix, and its rank."""
    weighted = design * np.sqrt(mean * (1.0 - mean))[:, None]  # X'X of one matrix takes half the time of X'Y
    values, vectors = np.linalg.eigh(weighted.T @ weighted + _RIDGE * np.eye(design.shape[1]))
    kept = values > _RANK_TOLERANCE * values[-1]
    return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T, int(kept.sum())


def _log_likelihood(line: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    return float((label * line - np.logaddexp(0.0, line)).sum())
