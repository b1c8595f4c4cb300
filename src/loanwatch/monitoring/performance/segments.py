"""Performance by segment: groups of applicants whom the model no longer tells apart, though the others may be fine.

Every segment is compared with the same segment of the hold-out, and its p-value corrected for all segments that were
looked at (Bonferroni, which holds however they overlap). Slicing and searching after Y. Chung et al., "Slice Finder",
ICDE 2019, and W. Chen et al., "Domino", 2022; the interval is DeLong's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.concept_drift.cells import SCORE, Cells, cut_features
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.monitoring.verdict import LEAVE_P_VALUE
from loanwatch.records import record
from loanwatch.statistics.calibration import score_band_edges
from loanwatch.statistics.delong import delong_estimate
from loanwatch.statistics.delong_counts import delong_of_counts
from loanwatch.statistics.estimate import Estimate
from loanwatch.statistics.special import ndtr

__all__ = ["SEGMENT_LEVEL", "Segment", "SegmentSearch", "search_segments"]

_SMALLEST_CLASS = 10
"""Rows of either class that a segment needs in both windows, as the whole does: DeLong's normal limit does not hold
with fewer, and the correction asks for its tail near 1e-5. More would hide the small segments that fail unseen."""
_FEWEST_ROWS = 2 * _SMALLEST_CLASS
_MOST_BINS = 5
"""Fifths of a number: finer ones are too small to be judged in a window of a few thousand rows."""
_SCORE_BANDS = 200
_MOST_ROWS = 100_000
_MOST_NAMED = 3
SEGMENT_LEVEL = 0.01
"""Corrected p-value up to which a segment is named."""
_LISTED = 12


@record
class Segment:
    """A group of applicants in both windows."""

    subject: str
    """The feature."""
    name: str
    """Which of its values: `"rent"`, `below 700`, `not known`."""
    cells: Cells
    bin: int
    rows: int
    """In the current window."""
    rows_reference: int
    before: Estimate
    """AUC among such applicants of the hold-out."""
    now: Estimate
    loss: float
    """AUC lost, beyond what the moved scores foretell and beyond what all other applicants lost."""
    p_value: float
    """One-sided, of "lost nothing", corrected for all segments looked at."""
    without: tuple[str, ...] = ()
    """Other features of which a segment was named before, whose applicants count in none of its figures."""
    also: tuple[str, ...] = ()
    """Features of which a segment fails too, but not among the other applicants: they might have shown the same."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {
            "subject": self.subject,
            "name": self.name,
            "rows": self.rows,
            "rows_reference": self.rows_reference,
            "auc": self.now.value,
            "auc_interval": [self.now.lower, self.now.upper],
            "auc_reference": self.before.value,
            "auc_reference_interval": [self.before.lower, self.before.upper],
            "auc_loss": self.loss,
            "p_value": self.p_value,
            "without": list(self.without),
        }


@record
class SegmentSearch:
    """What looking at all segments came to."""

    searched: int
    """Segments with enough rows of both classes in both windows."""
    failed: tuple[Segment, ...]
    """Those that lost AUC beyond chance, the surest first; applicants of an earlier one do not count for a later."""
    worst: tuple[Segment, ...]
    """The surest losses whether or not they are beyond chance, for a table."""


def search_segments(reference: ScoredWindow, current: ScoredWindow, contract: Contract) -> SegmentSearch:
    """Look for segments in which the model does worse than on the same segment of its hold-out.

    Segments are the categories of each predictor, fifths of its numbers by the hold-out, and "not known". The loss of
    a segment is the fall of its AUC, less what its scores alone foretell (other applicants may be harder to tell
    apart), less what all other applicants lost (a model that fails everywhere has no failing segment).

    Parameters
    ----------
    reference, current : ScoredWindow
        Labelled applications of hold-out and window, labels due.
    contract : Contract
        Names the predictors.

    Examples
    --------
    >>> from loanwatch.contract import default_contract
    >>> import polars as pl
    >>> def window(seed, flipped):
    ...     rng = np.random.default_rng(seed)
    ...     home, p = rng.choice(["rent", "own home"], 4_000), rng.uniform(0.1, 0.9, 4_000)
    ...     q = np.where((home == "rent") & flipped, 1 - p, p)
    ...     return ScoredWindow(
    ...         frame=pl.DataFrame({"home_ownership": home}), label=(rng.random(4_000) < q).astype(float),
    ...         probability=p, time=np.zeros(4_000, dtype="datetime64[us]"),
    ...     )
    >>> found = search_segments(window(0, False), window(1, True), default_contract())
    >>> [s.name for s in found.failed], found.searched
    (['"rent"'], 2)
    """
    reference, current = reference.thinned(_MOST_ROWS).beside(current), current.thinned(_MOST_ROWS)
    cells = cut_features(reference, current, contract, most_bins=_MOST_BINS, fewest_rows=_FEWEST_ROWS)
    cells = tuple(c for c in cells if c.subject != SCORE)
    first = _Windows.of(reference, current)
    ranked = sorted(first.losses(cells), key=lambda found: -found[3])
    searched, failed, windows = len(ranked), list[Segment](), first

    left = ranked
    while left and len(failed) < _MOST_NAMED:
        found = _segment(windows, left[0], tests=searched)
        if found.p_value > SEGMENT_LEVEL:
            break
        suspected = _subjects(left, below=SEGMENT_LEVEL * LEAVE_P_VALUE / searched)
        windows = windows.without(found.cells, found.bin)
        left = sorted(windows.losses(cells), key=lambda found: -found[3])
        explained = suspected - _subjects(left, below=SEGMENT_LEVEL / searched) - {found.subject}
        aside = tuple(dict.fromkeys(s.subject for s in failed if s.subject != found.subject))
        failed.append(replace(found, without=aside, also=tuple(sorted(explained))))
    return SegmentSearch(
        searched=searched,
        failed=tuple(failed),
        worst=tuple(_segment(first, loss, tests=searched) for loss in ranked[:_LISTED]),
    )


_Loss = tuple[Cells, int, float, float]
"""Feature, bin, AUC lost, and the loss in standard errors."""


def _subjects(losses: Sequence[_Loss], *, below: float) -> set[str]:
    """Return the features of losses with a smaller p-value, not corrected."""
    return {cell.subject for cell, _, _, strength in losses if ndtr(-strength) <= below}


@record
class _Side:
    """One window, with its scores in bands."""

    label: NDArray[np.float64]
    probability: NDArray[np.float64]
    band: NDArray[np.intp]
    kept: NDArray[np.bool_]

    def auc(self, rows: NDArray[np.bool_]) -> Estimate:
        """Return the AUC among some of the rows."""
        return delong_estimate(self.label[rows] == 1.0, self.probability[rows])

    def counts(self, codes: NDArray[np.intp], bins: int) -> NDArray[np.float64]:
        """Return rows by bin and score band, shape (4, bins, bands): positive, negative, and the two as expected."""
        at = np.where(self.kept, codes, bins) * _SCORE_BANDS + self.band
        size = (bins + 1) * _SCORE_BANDS
        rows = np.bincount(at, minlength=size).astype(np.float64)
        positive = np.bincount(at, weights=self.label, minlength=size)
        expected = np.bincount(at, weights=self.probability, minlength=size)
        stacked = np.stack([positive, rows - positive, expected, rows - expected])
        return np.maximum(stacked, 0.0).reshape(4, bins + 1, _SCORE_BANDS)[:, :bins]


@record
class _Windows:
    reference: _Side
    current: _Side

    @classmethod
    def of(cls, reference: ScoredWindow, current: ScoredWindow) -> Self:
        pooled = np.concatenate([reference.probability, current.probability])
        edges = score_band_edges(pooled, bands=_SCORE_BANDS)
        sides = [
            _Side(
                label=w.label,
                probability=w.probability,
                band=np.searchsorted(edges, w.probability, side="right"),
                kept=np.ones(w.rows, dtype=np.bool_),
            )
            for w in (reference, current)
        ]
        return cls(reference=sides[0], current=sides[1])

    def without(self, cell: Cells, bin_: int) -> Self:
        """Set the applicants of a segment aside."""
        return replace(
            self,
            reference=replace(self.reference, kept=self.reference.kept & (cell.reference != bin_)),
            current=replace(self.current, kept=self.current.kept & (cell.current != bin_)),
        )

    def losses(self, cells: Sequence[Cells]) -> Iterator[_Loss]:
        """Give the loss of every segment that has enough rows of both classes."""
        for cell in cells:
            before = self.reference.counts(cell.reference, cell.bins)
            now = self.current.counts(cell.current, cell.bins)
            enough = np.minimum(before[:2].sum(axis=2), now[:2].sum(axis=2)).min(axis=0) >= _SMALLEST_CLASS
            fall, error = _fall(before, now)
            others, others_error = _fall(_rest(before), _rest(now))
            also = np.nan_to_num(others) > 0
            loss = fall - np.where(also, others, 0.0)
            spread = np.hypot(error, np.where(also, others_error, 0.0))
            for bin_ in np.flatnonzero(enough[: cell.testable]).tolist():
                if spread[bin_] > 0:
                    yield cell, bin_, float(loss[bin_]), float(loss[bin_] / spread[bin_])


def _rest(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    rest: NDArray[np.float64] = np.maximum(counts.sum(axis=1, keepdims=True) - counts, 0.0)
    return rest


def _fall(before: NDArray[np.float64], now: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the AUC fell beyond what the scores foretell, and its standard error; shape (bins,)."""
    (first, first_error), (second, second_error) = (delong_of_counts(c[0], c[1]) for c in (before, now))
    foretold = delong_of_counts(before[2], before[3])[0] - delong_of_counts(now[2], now[3])[0]
    fall = first - second
    # A hold-out that was lucky has a small error too: take it for the luckless AUC, as if nothing had changed.
    room = np.divide(second * (1 - second), first * (1 - first), out=np.ones_like(first), where=first * (1 - first) > 0)
    # A few rows of one class may all score alike, and then seem to have an AUC without error: as many rows of the
    # hold-out have one.
    usual_error = delong_of_counts(before[0], before[1], rows=(now[0].sum(axis=1), now[1].sum(axis=1)))[1]
    spread = np.hypot(first_error * np.sqrt(np.maximum(room, 1.0)), np.fmax(second_error, usual_error))
    return np.minimum(fall, fall - foretold), spread


def _segment(windows: _Windows, found: _Loss, *, tests: int) -> Segment:
    cell, bin_, loss, strength = found
    before, now = windows.reference, windows.current
    inside = (before.kept & (cell.reference == bin_), now.kept & (cell.current == bin_))
    return Segment(
        subject=cell.subject,
        name=cell.names[bin_],
        cells=cell,
        bin=bin_,
        rows=int(inside[1].sum()),
        rows_reference=int(inside[0].sum()),
        before=before.auc(inside[0]),
        now=now.auc(inside[1]),
        loss=loss,
        p_value=min(1.0, float(ndtr(-strength)) * tests),
    )
