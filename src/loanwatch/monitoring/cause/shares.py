"""Which features stand behind each part of a change of loss."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loanwatch.monitoring.concept_drift.cells import Cells
from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.statistics.estimate import Z_95

__all__ = ["behind_features", "behind_relation"]

_FEWEST_ROWS = 30
"""From so many rows of the hold-out on a mean of their losses is worth more than the model's estimate."""


def behind_features(
    reference: ScoredWindow, current: ScoredWindow, cells: Sequence[Cells], names: Collection[str]
) -> Mapping[str, Measurement]:
    """Return, for each feature named, the change of loss if it alone had moved.

    The hold-out's loss in each bin of the feature, weighed by the window's shares of the bins instead of its own. What
    a value costs that the hold-out hardly has is the model's own estimate, p (1 − p). The parts of features that move
    together overlap, and need not add up.
    """
    loss = (reference.label - reference.probability) ** 2
    expected = current.probability * (1.0 - current.probability)
    return {c.subject: _moved(c, loss, expected) for c in cells if c.subject in names}


def _moved(cell: Cells, loss: NDArray[np.float64], expected: NDArray[np.float64]) -> Measurement:
    rows = expected.size
    before, now = (np.bincount(codes, minlength=cell.bins) for codes in (cell.reference, cell.current))
    mean, variance = _by_bin(cell.reference, loss, cell.bins)
    is_new = (before < _FEWEST_ROWS) & (now > before)
    estimated, spread = _by_bin(cell.current, expected, cell.bins)
    mean, variance = np.where(is_new, estimated, mean), np.where(is_new, spread, variance)
    known_rows = np.where(is_new, now, before)
    share, usual = now / now.sum(), before / before.sum()
    value = float(((share - usual) * mean).sum())
    drawn = float((share * (mean - share @ mean) ** 2).sum()) / rows + float(
        (usual * (mean - usual @ mean) ** 2).sum()
    ) / max(loss.size, 1)
    known = float(((share - usual) ** 2 * variance / np.maximum(known_rows, 1)).sum())
    return _measurement("loss_from_feature", value, drawn + known, loss.size, rows)


def behind_relation(
    reference: ScoredWindow, current: ScoredWindow, cells: Sequence[Cells], names: Collection[str]
) -> Mapping[str, Measurement]:
    """Return, for each feature named, the change of loss that the changed residuals in its bins make.

    Σ over bins of share × (mean residual in the window − in the hold-out) × mean of (1 − 2p): what a residual costs.
    """
    return {c.subject: _changed(reference, current, c) for c in cells if c.subject in names}


def _changed(reference: ScoredWindow, current: ScoredWindow, cell: Cells) -> Measurement:
    before = np.bincount(cell.reference, minlength=cell.bins)
    now = np.bincount(cell.current, minlength=cell.bins)
    usual, usual_variance = _by_bin(cell.reference, reference.label - reference.probability, cell.bins)
    mean, variance = _by_bin(cell.current, current.label - current.probability, cell.bins)
    price, _ = _by_bin(cell.current, 1.0 - 2.0 * current.probability, cell.bins)
    weight = np.where((before > 0) & (now > 0), now / now.sum() * price, 0.0)
    value = float((weight * (mean - usual)).sum())
    error = weight**2 * (variance / np.maximum(now, 1) + usual_variance / np.maximum(before, 1))
    return _measurement("loss_from_relation", value, float(error.sum()), reference.rows, current.rows)


def _by_bin(
    codes: NDArray[np.intp], values: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.maximum(np.bincount(codes, minlength=bins), 1)
    mean = np.bincount(codes, weights=values, minlength=bins) / rows
    return mean, np.maximum(np.bincount(codes, weights=values**2, minlength=bins) / rows - mean**2, 0.0)


def _measurement(name: str, value: float, variance: float, before: int, now: int) -> Measurement:
    half = Z_95 * variance**0.5
    return Measurement(
        name=name, value=value, lower=value - half, upper=value + half, n_reference=before, n_current=now
    )
