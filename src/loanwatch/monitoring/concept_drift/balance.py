"""Weights that make hold-out and window alike in their features, so that only the relation can differ."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.monitoring.concept_drift.cells import SCORE, Cells
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.statistics.overlap import overlap_weights
from loanwatch.statistics.ranks import midranks
from loanwatch.statistics.special import ndtri

__all__ = ["balancing_weights"]

_KNOTS = (-1.6, -0.8, 0.0, 0.8, 1.6)
"""Normal scores at which the effect of a number may bend; the outer ones follow its tails."""


def balancing_weights(reference: ScoredWindow, current: ScoredWindow, cells: Sequence[Cells]) -> NDArray[np.float64]:
    """Return a weight for every row of the hold-out, then of the window: 1 where their features are alike.

    A model's errors that no additive correction takes up would otherwise look like drift wherever the features move.

    Parameters
    ----------
    reference, current : ScoredWindow
    cells : sequence of Cells
        Of the score and the features that are compared.

    Returns
    -------
    ndarray of shape (n_reference + n_current,)
    """
    changed = np.arange(reference.rows + current.rows) >= reference.rows
    columns = [column for cell in cells for column in _columns(reference, current, cell)]
    # Column by column in memory: row by row takes three times as long to write.
    return overlap_weights(np.stack(columns or [np.zeros(changed.size)]).T, changed)


def _columns(reference: ScoredWindow, current: ScoredWindow, cell: Cells) -> list[NDArray[np.float64]]:
    if cell.subject == SCORE:
        return _bent(np.concatenate([reference.probability, current.probability]))
    first, second = reference.frame[cell.subject], current.frame[cell.subject]
    if not cell.ordered:
        codes = np.concatenate([cell.reference, cell.current])
        return [(codes == bin_).astype(np.float64) for bin_ in range(1, cell.bins)]
    values = pl.concat([s.cast(pl.Float64) for s in (first, second)]).to_numpy()
    return _bent(values)


def _bent(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the normal scores, how far they lie beyond each knot, and whether the value is not known."""
    known = np.isfinite(values)
    scores = np.zeros(values.size)
    scores[known] = ndtri((midranks(values[known]) - 0.5) / max(int(known.sum()), 1))
    bends = [np.where(known, np.maximum(scores - k, 0.0), 0.0) for k in _KNOTS]
    return [c for c in (scores, *bends, (~known).astype(np.float64)) if c.min() < c.max()]
