"""Since when the relation is another one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loanwatch.monitoring.concept_drift.cells import Cells
from loanwatch.monitoring.concept_drift.relation import residual_variance
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.change_point import ChangePoint, locate_change

__all__ = ["DatedChange", "date_change"]

_ROUNDS = 6
_STARTS = (0.0, 0.5, 0.8)
_CLEAR_EVIDENCE = 8.0
"""Nats; below it the change may as well be chance, and has no date."""
_WIDEST = 0.5
"""A change that may lie anywhere in more than this share of the window has no date."""


@record
class DatedChange:
    """When the change happened, as times of applications in UTC."""

    since: np.datetime64
    earliest: np.datetime64
    latest: np.datetime64
    position: int
    """Applications of the window, in order of time, before the change."""
    at_start: bool
    """The change lies before the window or at its start."""


def date_change(reference: ScoredWindow, current: ScoredWindow, cells: Sequence[Cells]) -> DatedChange | None:
    """Date the change along the given features, or of the level where there are none.

    The residuals of the hold-out in the same bins are the law before the change, those after a candidate position the
    law after it; position and law are estimated in turns, from several starts.

    Returns
    -------
    DatedChange or None
        None where the evidence is weak, or spread over more than half of the window.
    """
    order = np.argsort(current.time, kind="stable")
    before = _design(cells, reference.rows, of_reference=True)
    after = _design(cells, current.rows, of_reference=False)[order]
    probability = np.concatenate([reference.probability, current.probability])
    raw = np.concatenate([reference.label, current.label]) - probability
    spread = residual_variance(probability, raw)
    usual = _weighted_fit(before, raw[: reference.rows], spread[: reference.rows])
    residual = raw[reference.rows :][order] - after @ usual
    variance = spread[reference.rows :][order]
    found = max(
        (_alternate(after, residual, variance, start=int(s * current.rows)) for s in _STARTS), key=lambda c: c.evidence
    )
    if found.evidence < _CLEAR_EVIDENCE or found.latest - found.earliest > _WIDEST * current.rows:
        return None
    times = current.time[order]
    at_start = found.earliest == 0
    position = 0 if at_start else found.position
    return DatedChange(
        since=times[position],
        earliest=times[found.earliest],
        latest=times[min(found.latest, times.size - 1)],
        position=position,
        at_start=at_start,
    )


def _alternate(
    design: NDArray[np.float64], residual: NDArray[np.float64], variance: NDArray[np.float64], *, start: int
) -> ChangePoint:
    found = ChangePoint(position=start, earliest=start, latest=start, evidence=0.0)
    for _ in range(_ROUNDS):
        rows = slice(min(found.position, residual.size - 1), None)
        moved = design @ _weighted_fit(design[rows], residual[rows], variance[rows])
        following = locate_change(moved * (2 * residual - moved) / (2 * variance))
        if following.position == found.position:
            return following
        found = following
    return found


def _design(cells: Sequence[Cells], rows: int, *, of_reference: bool) -> NDArray[np.float64]:
    columns = [np.ones((rows, 1))]
    for cell in cells:
        codes = cell.reference if of_reference else cell.current
        columns.append((codes[:, None] == np.arange(1, cell.testable)).astype(np.float64))
    return np.hstack(columns)


def _weighted_fit(
    design: NDArray[np.float64], residual: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return least-squares effects, drawn towards 0 by about ten rows' worth, so that few rows promise little."""
    weighted = design / variance[:, None]
    shrink = 10.0 * float((1.0 / variance).mean()) * np.eye(design.shape[1])
    return np.linalg.solve(weighted.T @ design + shrink, weighted.T @ residual).astype(np.float64)
