"""What was found, in the words of a risk officer."""

from datetime import date

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring.concept_drift.cells import SCORE, Cells
from loanwatch.monitoring.concept_drift.relation import LEVEL, Change
from loanwatch.monitoring.scored_window import ScoredWindow

__all__ = ["applicants_in", "describe_change", "plain_date", "worst_bin"]


def describe_change(
    change: Change, current: ScoredWindow, contract: Contract, *, since: date | None, at_start: bool
) -> str:
    """Return one sentence: since when, who, observed against expected, and how many.

    Parameters
    ----------
    change : Change
    current : ScoredWindow
        Labelled applications, only those after the change where it is dated.
    contract : Contract
    since : date or None
    at_start : bool
        The change lies before the window or at its start.
    """
    opening = _opening(since, at_start=at_start)
    bin_ = worst_bin(change, current)
    rows = np.ones(current.rows, dtype=np.bool_) if change.cells is None else change.cells.current == bin_
    observed, expected = float(current.label[rows].mean()), float(current.probability[rows].mean())
    outcome = contract.label.positive if observed >= expected else contract.label.negative
    figures = (
        f"{100 * observed:.0f} % {contract.label.positive} against {100 * expected:.0f} % expected "
        f"({int(rows.sum()):,} applications)"
    )
    return f'{opening}{_who(change, contract, bin_)} end as "{outcome}" more often than the model expects: {figures}.'


def worst_bin(change: Change, current: ScoredWindow) -> int:
    """Return the bin in which the labels contradict the model most: largest |Σ (label − probability)| / √rows."""
    if change.cells is None:
        return 0
    cells = change.cells
    excess = np.bincount(cells.current, weights=current.label - current.probability, minlength=cells.bins)
    rows = np.maximum(np.bincount(cells.current, minlength=cells.bins), 1)
    return int((np.abs(excess) / np.sqrt(rows))[: cells.testable].argmax())


def plain_date(day: date) -> str:
    """Return `12 March 2026`.

    Examples
    --------
    >>> plain_date(date(2026, 3, 12))
    '12 March 2026'
    """
    return f"{day.day} {day:%B %Y}"


def _opening(since: date | None, *, at_start: bool) -> str:
    if since is None:
        return "In this window "
    return f"Since the start of this window, {plain_date(since)}, " if at_start else f"Since {plain_date(since)} "


def _who(change: Change, contract: Contract, bin_: int) -> str:
    if change.subject == LEVEL or change.cells is None:
        return "applicants as a whole"
    return applicants_in(change.cells, contract, bin_)


def applicants_in(cells: Cells, contract: Contract, bin_: int) -> str:
    """Return which applicants a bin holds: `applicants whose purpose is "other"`."""
    name = cells.names[bin_]
    if cells.subject == SCORE:
        return f"applicants with a score {name}"
    column = contract.label_of(cells.subject)
    is_value = name == "not known" or name.startswith('"')
    return f"applicants whose {column} is {name}" if is_value else f"applicants with {column} {name}"
