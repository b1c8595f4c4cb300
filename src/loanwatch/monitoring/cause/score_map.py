"""Whether the scores still are the same function of the features: the model's own part in a change."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.concept_drift.cells import SCORE, cut_features, most_telling
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.statistics.conditional_shift import additive_effects
from loanwatch.statistics.special import logit

__all__ = ["scores_left_features"]

_CERTAIN = 0.002
_FOLLOWED = 0.2
"""Share of the scores' variance that the features have to explain in the hold-out, or the question has no answer."""
_LARGER, _SURE = 1.2, 4.0
"""Of the error: so many times larger, by so many standard errors of its logarithm. The same model errs as before."""
_FEWEST_ROWS = 50


def scores_left_features(reference: ScoredWindow, current: ScoredWindow, contract: Contract) -> bool | None:
    """Tell whether the scores follow the features otherwise than in the hold-out.

    The same model gives the same applicant the same score, whatever becomes of the labels. The scores' log-odds are
    fitted additively along all features to one half of the hold-out; the errors in its other half are what such a fit
    leaves, those in the window are larger if scores belong to other rows, to another model or are on another scale.

    Parameters
    ----------
    reference, current : ScoredWindow
        Whose features are alike: where they moved the fit errs for that reason.
    contract : Contract
        Names the predictors.

    Returns
    -------
    bool or None
        None where the features explain too little of the scores to tell, or there are too few rows.
    """
    offered = most_telling(cut_features(reference, current, contract), reference.probability)
    cells = [c for c in offered if c.subject != SCORE]
    if not cells or min(reference.rows // 2, current.rows) < _FEWEST_ROWS:
        return None
    before, now = (logit(np.clip(w.probability, _CERTAIN, 1.0 - _CERTAIN)) for w in (reference, current))
    codes = np.column_stack([c.reference for c in cells])
    effects = additive_effects(codes[::2], [c.bins for c in cells], before[::2])

    def errors(scores: NDArray[np.float64], where: NDArray[np.intp]) -> NDArray[np.float64]:
        fitted = before[::2].mean() + sum(e[where[:, at]] for at, e in enumerate(effects))
        squares: NDArray[np.float64] = (scores - fitted) ** 2
        return squares

    usual, found = errors(before[1::2], codes[1::2]), errors(now, np.column_stack([c.current for c in cells]))
    variance = float(before[1::2].var())
    if variance <= 0.0 or usual.mean() > (1.0 - _FOLLOWED) * variance:
        return None
    floor = 1e-9 * variance
    ratio = float(found.mean() + floor) / float(usual.mean() + floor)
    error = sum(float(e.var()) / max(float(e.mean()), floor) ** 2 / e.size for e in (usual, found)) ** 0.5
    return ratio > _LARGER and np.log(ratio) > _SURE * error
