"""Which labels may be judged: those that are known and old enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record

__all__ = ["JudgedLabels", "due_labels", "judge_labels"]


@record
class JudgedLabels:
    """The applications whose label may be judged, and what was set aside."""

    window: ScoredWindow
    missing: int
    """Applications old enough whose label is not known."""
    immature: int
    """Applications too young for their label to be trusted, known or not."""
    thinned_out: int = 0
    """Applications left out only because enough others are judged."""
    notes: tuple[str, ...] = ()
    """What else is to be said of the judging."""

    @property
    def limitations(self) -> tuple[str, ...]:
        """What was set aside, in sentences."""
        rows = self.window.rows + self.missing + self.immature + self.thinned_out
        sentences = list(self.notes)
        if self.immature:
            sentences.append(f"{self.immature:,} of {rows:,} applications are too young: their labels are not yet due.")
        if self.missing:
            sentences.append(f"{self.missing:,} of {rows:,} applications have no label; only the others are judged.")
        if self.thinned_out:
            sentences.append(f"{self.window.rows:,} of {rows:,} applications, evenly taken, are judged.")
        return tuple(sentences)

    def thinned(self, rows: int) -> Self:
        """Return at most so many of the applications, evenly taken."""
        window = self.window.thinned(rows)
        return replace(self, window=window, thinned_out=self.thinned_out + self.window.rows - window.rows)


def judge_labels(window: ScoredWindow, contract: Contract, *, as_of: datetime | None = None) -> JudgedLabels:
    """Set aside the applications whose label is unknown or younger than `label.delay_days` of the contract.

    A window whose labels are not yet due shows too few bad cases, because bad ones take longer to be known.

    Parameters
    ----------
    window : ScoredWindow
    contract : Contract
    as_of : datetime, optional
        The moment of judging, aware; by default now.
    """
    mature = _are_due(window.time, contract, as_of)
    judged = mature & window.has_label
    return JudgedLabels(
        window=window if judged.all() else window.where(judged),
        missing=int((mature & ~window.has_label).sum()),
        immature=int((~mature).sum()),
    )


def due_labels(
    label: NDArray[np.float64],
    time: NDArray[np.datetime64],
    contract: Contract,
    *,
    as_of: datetime | None = None,
) -> NDArray[np.float64]:
    """Return the labels, NaN for those younger than `label.delay_days` of the contract.

    Parameters
    ----------
    label : ndarray of shape (n,)
        1, 0, or NaN where not known.
    time : ndarray of shape (n,), datetime64[us]
        Of the application, UTC; without a time no label is due where the contract has a delay.
    contract : Contract
    as_of : datetime, optional
        The moment of judging, aware; by default now.
    """
    return np.where(_are_due(time, contract, as_of), label, np.nan) if contract.label.delay_days else label


def _are_due(time: NDArray[np.datetime64], contract: Contract, as_of: datetime | None) -> NDArray[np.bool_]:
    delay = contract.label.delay_days
    if not delay:
        return np.ones(time.size, dtype=np.bool_)
    moment = (as_of or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    due: NDArray[np.bool_] = time <= np.datetime64(moment - timedelta(days=delay), "us")
    return due
