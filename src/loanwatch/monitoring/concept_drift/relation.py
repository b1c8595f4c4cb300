"""Whether, and along which features, the label follows another relation than in the hold-out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.monitoring.concept_drift.balance import balancing_weights
from loanwatch.monitoring.concept_drift.cells import SCORE, Cells
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.calibration import score_band_edges
from loanwatch.statistics.conditional_shift import BlockTest, ConditionalShift, additive_effects
from loanwatch.statistics.special import logit

__all__ = ["LEVEL", "Change", "find_changes", "outcome_scale", "residual_variance"]

LEVEL = "label"
"""Subject of a change of the label's level that no feature explains."""

_VARIANCE_BANDS = 20
_PRIOR_ROWS = 10.0
_SMALLEST_VARIANCE = 0.02
_ORDINARY_VARIANCE = 0.16
"""Of a label that one application in five has, or lacks."""
_MOST_CHANGES = 5
_DIRECTED_SHARE = 0.75
"""Of the significance that a subject has, spent on the change in proportion to the model's own effect."""


@record
class Change:
    """The relation moved, or was tested for moving, along one subject."""

    subject: str
    p_value: float
    """Of "did not move", corrected for all subjects tested."""
    strength: float
    """The test statistic as a standard normal deviate."""
    size: float
    """Root mean square change of P(label | features) over the window's applications, noise subtracted."""
    effect: NDArray[np.float64]
    """Shape (testable bins,): the change of P(label | features) in each bin, beyond the change of level."""
    cells: Cells | None
    """None for the level."""
    weight: NDArray[np.float64]
    """Shape (n_current,): how much each row of the window counted; 1 where both windows have the same features."""

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """Return the same change, with bins and weights of only these rows of the current window."""
        cells = None if self.cells is None else replace(self.cells, current=self.cells.current[mask])
        return replace(self, cells=cells, weight=self.weight[mask])


def find_changes(
    reference: ScoredWindow, current: ScoredWindow, cells: Sequence[Cells], *, significance: float
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Test the level, then every subject, and name the subjects one after the other, the strongest first.

    Each subject gets two tests: any change by bin, and a change in proportion to the effect that the model gives the
    feature (it was weakened, strengthened or turned round). Once a subject is named its change is taken out, so that
    features which only go with it are not named too.

    Parameters
    ----------
    reference, current : ScoredWindow
        Labelled applications only.
    cells : sequence of Cells
        Of the score and the features.
    significance : float
        Largest corrected p-value at which a subject is named.

    Returns
    -------
    tuple of Change
        The subjects named, strongest first.
    tuple of Change
        All subjects as first tested, in the order of the level and `cells`.
    """
    probability = np.concatenate([reference.probability, current.probability])
    residual = np.concatenate([reference.label, current.label]) - probability
    weight = balancing_weights(reference, current, cells)
    codes = np.column_stack([np.concatenate([c.reference, c.current]) for c in cells])
    model = ConditionalShift(
        codes=codes,
        bins=[c.bins for c in cells],
        testable=[c.testable for c in cells],
        residual=residual,
        variance=residual_variance(probability, residual),
        changed=np.arange(residual.size) >= reference.rows,
        weight=weight,
    )
    directions = _directions(cells, codes, probability)
    curvature, counted = residual_variance(probability, residual)[reference.rows :], weight[reference.rows :]
    tests = len(cells) + 1
    test = model.level()
    level = _change(LEVEL, test, None, curvature, counted, p_value=min(1.0, test.p_value * tests))
    model.condition_on_level()

    def strongest(feature: int) -> Change:
        cell = cells[feature]
        candidates = (
            (model.block(feature, directions[feature][: cell.testable]), tests / _DIRECTED_SHARE),
            (model.block(feature), tests / (1 - _DIRECTED_SHARE)),
        )
        best, factor = min(candidates, key=lambda c: (c[0].p_value * c[1], -c[0].strength))
        return _change(cell.subject, best, cell, curvature, counted, p_value=min(1.0, best.p_value * factor))

    first = [strongest(i) for i in range(len(cells))]
    named = [level] if level.p_value <= significance else []
    left = dict(enumerate(first))
    while left and len(named) < _MOST_CHANGES:
        best = max(left, key=lambda i: left[i].strength)
        if left[best].p_value > significance:
            break
        named.append(left.pop(best))
        model.condition_on(best)
        left = {i: strongest(i) for i in left}
    return _features_first(named), (level, *first)


def residual_variance(probability: NDArray[np.float64], residual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared residual of each row's score band, drawn a little towards the overall one.

    p (1 − p) would trust an over-confident model most where it is most wrong. Where a model is nearly always right the
    floor keeps single surprises from counting as proof.
    """
    band = np.searchsorted(score_band_edges(probability, bands=_VARIANCE_BANDS), probability, side="right")
    squares = np.bincount(band, weights=residual**2) + _PRIOR_ROWS * float((residual**2).mean())
    variance: NDArray[np.float64] = (squares / (np.bincount(band) + _PRIOR_ROWS))[band]
    return np.maximum(variance, _SMALLEST_VARIANCE)


def outcome_scale(probability: NDArray[np.float64]) -> float:
    """Return the spread of the label against that of one in five, at most 1.

    Where 3 % default, half a point more is what two points are among labels that are even.
    """
    rate = float(probability.mean())
    return min(1.0, math.sqrt(rate * (1.0 - rate) / _ORDINARY_VARIANCE))


def _directions(
    cells: Sequence[Cells], codes: NDArray[np.intp], probability: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the effect on the log-odds that the model itself gives each bin; for the score, their mean in the band."""
    log_odds = logit(np.clip(probability, 0.005, 0.995))
    features = [i for i, c in enumerate(cells) if c.subject != SCORE]
    effects = iter(additive_effects(codes[:, features], [cells[i].bins for i in features], log_odds))
    return [
        np.bincount(codes[:, i], weights=log_odds) / np.maximum(np.bincount(codes[:, i]), 1)
        if c.subject == SCORE
        else next(effects)
        for i, c in enumerate(cells)
    ]


def _change(
    subject: str,
    test: BlockTest,
    cell: Cells | None,
    curvature: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    p_value: float,
) -> Change:
    """Turn a change of log-odds into one of the probability: p (1 − p) times it."""
    if cell is None:
        share, slope = np.ones(1), np.array([curvature.mean()])
        effect, variance = test.effect, test.covariance.diagonal()
    else:
        rows = np.bincount(cell.current, minlength=cell.bins)[: cell.testable]
        share = rows / cell.current.size
        slope = np.bincount(cell.current, weights=curvature, minlength=cell.bins)[: cell.testable] / rows
        centre = np.eye(cell.testable) - share / share.sum()
        effect, variance = centre @ test.effect, (centre @ test.covariance @ centre.T).diagonal()
    square = float((share * slope**2 * (effect**2 - variance)).sum())
    return Change(
        subject=subject,
        p_value=p_value,
        strength=test.strength,
        size=max(square, 0.0) ** 0.5,
        effect=slope * effect,
        cells=cell,
        weight=weight,
    )


def _features_first(named: list[Change]) -> tuple[Change, ...]:
    """Put what names a cause before what only describes the outcome."""
    return tuple(sorted(named, key=lambda c: c.subject in (LEVEL, SCORE)))
