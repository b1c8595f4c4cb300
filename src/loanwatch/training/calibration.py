"""Fit the calibrator to scores that the model gave rows it had not seen."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]

from loanwatch.scoring import Calibrator, logit
from loanwatch.statistics.special import expit
from loanwatch.training.export import Estimator

__all__ = ["fit_calibrator", "out_of_fold"]

FloatArray = NDArray[np.float64]

_FOLDS = 5
_PRIOR_WEIGHT = 1.0
_SMALLEST_SLOPE = 0.01
_PRIOR = np.array([1.0, 0.0])


def out_of_fold(
    fitted: Estimator,
    matrix: NDArray[np.float32],
    label: NDArray[np.bool_],
    *,
    make: Callable[[], Estimator],
    seed: int,
) -> FloatArray:
    """Return P(positive), of shape (n,), for each training row from trees that have not seen it.

    A forest has those already (out of bag); `nan` where every tree saw the row. Otherwise five stratified folds are
    held out in turn.
    """
    if isinstance(fitted, RandomForestClassifier):
        votes = fitted.oob_decision_function_
        seen_by_all = ~(votes.sum(axis=1) > 0.5)
        return np.where(seen_by_all, np.nan, votes[:, 1])
    scores = np.empty(len(label))
    for train, held_out in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(matrix, label):
        scores[held_out] = make().fit(matrix[train], label[train]).predict_proba(matrix[held_out])[:, 1]
    return scores


def fit_calibrator(score: FloatArray, label: NDArray[np.bool_]) -> Calibrator:
    """Fit slope and intercept by maximum a-posteriori likelihood.

    The prior, worth about one application, is slope 1 and intercept 0: it keeps the line finite where the scores
    separate the classes. A slope that is not positive, from scores that rank the wrong way, becomes 0.01 with the
    intercept that gives the base rate.

    Parameters
    ----------
    score : ndarray of shape (n,), in [0, 1] or nan
        Scores of rows that the model was not fitted to; rows with nan are left out.
    label : ndarray of shape (n,), bool

    Source: Platt (1999); the prior after Gelman et al. (2008), A weakly informative default prior for logistic
    regression, Annals of Applied Statistics 2(4).
    """
    known = np.isfinite(score)
    z, y = logit(score[known]), label[known].astype(np.float64)
    start = np.array([0.0, 0.0])
    found = minimize(_loss, start, args=(z, y), jac=_gradient, hess=_curvature, method="trust-exact", tol=1e-6)
    slope, intercept = (float(each) for each in found.x)
    if slope < _SMALLEST_SLOPE:
        base = float(logit(np.array([y.mean()]))[0])
        slope, intercept = _SMALLEST_SLOPE, base - _SMALLEST_SLOPE * float(z.mean())
    return Calibrator(slope=slope, intercept=intercept)


def _loss(line: FloatArray, z: FloatArray, y: FloatArray) -> float:
    """Return the negative log posterior of a line (slope, intercept), up to a constant."""
    t = line[0] * z + line[1]
    return float(np.sum(np.logaddexp(0, t) - y * t) + _PRIOR_WEIGHT * np.sum((line - _PRIOR) ** 2) / 2)


def _gradient(line: FloatArray, z: FloatArray, y: FloatArray) -> FloatArray:
    residual = expit(line[0] * z + line[1]) - y
    slopes: FloatArray = np.array([residual @ z, residual.sum()]) + _PRIOR_WEIGHT * (line - _PRIOR)
    return slopes


def _curvature(line: FloatArray, z: FloatArray, y: FloatArray) -> FloatArray:  # noqa: ARG001  (minimize passes both)
    expected = expit(line[0] * z + line[1])
    weight = expected * (1 - expected)
    mixed = weight @ z
    return np.array([[weight @ z**2, mixed], [mixed, weight.sum()]]) + _PRIOR_WEIGHT * np.eye(2)
