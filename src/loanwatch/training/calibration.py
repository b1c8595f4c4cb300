"""Fit the calibrator to scores that the model gave rows it had not seen."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedKFold  # type: ignore[import-untyped]

from loanwatch.scoring import Calibrator, logit
from loanwatch.training.export import Estimator

__all__ = ["fit_calibrator", "out_of_fold"]

_FOLDS = 5
_PRIOR_WEIGHT = 1.0
_SMALLEST_SLOPE = 0.01
_STEPS = 30


def out_of_fold(
    fitted: Estimator,
    matrix: NDArray[np.float32],
    label: NDArray[np.bool_],
    *,
    make: Callable[[], Estimator],
    seed: int,
) -> NDArray[np.float64]:
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


def fit_calibrator(score: NDArray[np.float64], label: NDArray[np.bool_]) -> Calibrator:
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
    design = np.column_stack([z, np.ones_like(z)])
    prior = line = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(design @ line, -500, 500)))
        gradient = design.T @ (expected - y) + _PRIOR_WEIGHT * (line - prior)
        weight = expected * (1 - expected)
        curvature = (design * weight[:, None]).T @ design + _PRIOR_WEIGHT * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        line = line - step
        if np.abs(step).max() < 1e-10:
            break
    slope, intercept = (float(each) for each in line)
    if slope < _SMALLEST_SLOPE:
        base = float(logit(np.array([y.mean()]))[0])
        slope, intercept = _SMALLEST_SLOPE, base - _SMALLEST_SLOPE * float(z.mean())
    return Calibrator(slope=slope, intercept=intercept)
