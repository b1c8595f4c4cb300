"""What was found, in the words of a risk officer."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.concept_drift.cells import SCORE, Cells
from loanwatch.monitoring.concept_drift.relation import LEVEL, Change
from loanwatch.monitoring.scored_window import ScoredWindow

__all__ = ["applicants_in", "describe_change", "plain_date", "worst_bin"]

_TOLD_BEFORE = 0.01
"""Where the model was off by so much before, what it expects does not say what changed."""
_EVEN = 0.2
"""Weights that vary less do not change a rate that is told in per cent."""


def describe_change(
    change: Change,
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    since: date | None,
    at_start: bool,
) -> str:
    """Return one sentence: since when, who, observed against expected, and how many.

    Where the model was wrong about the same applicants before, that is told too: what it expects does not say then what
    changed. The level of the label is that of the applicants whom hold-out and window share, as it was tested.

    Parameters
    ----------
    change : Change
    reference : ScoredWindow
        The hold-out, labelled.
    current : ScoredWindow
        Labelled applications, only those after the change where it is dated.
    contract : Contract
    since : date or None
    at_start : bool
        The change lies before the window or at its start.
    """
    opening, cells = _opening(since, at_start=at_start), change.cells
    bin_ = worst_bin(change, reference, current)
    observed, expected = _rates(current, change.weight if cells is None else cells.current == bin_)
    before = _rates(reference, np.ones(reference.rows) if cells is None else cells.reference == bin_)
    usual = before[0] - before[1]
    was_wrong = cells is not None and abs(usual) >= _TOLD_BEFORE
    moved = observed - expected - (usual if was_wrong else 0.0)
    outcome = contract.label.positive if moved >= 0.0 else contract.label.negative
    rows = current.rows if cells is None else int((cells.current == bin_).sum())
    told = f"; before, {' against '.join(_percents(*before))}" if was_wrong else ""
    seen, foreseen = _percents(observed, expected)
    figures = f"{seen} {contract.label.positive} against {foreseen} expected ({rows:,} applications){told}"
    than = "before" if was_wrong else "the model expects"
    return f'{opening}{_who(change, contract, bin_)} end as "{outcome}" more often than {than}: {figures}.'


def _percents(first: float, second: float) -> tuple[str, str]:
    """Return two rates with as many decimals as it takes to tell them apart, two at most.

    >>> _percents(0.31, 0.28), _percents(0.193, 0.188)
    (('31 %', '28 %'), ('19.3 %', '18.8 %'))
    """
    texts = [(f"{100 * first:.{digits}f} %", f"{100 * second:.{digits}f} %") for digits in (0, 1, 2)]
    return next((pair for pair in texts if pair[0] != pair[1]), texts[0])


def _rates(window: ScoredWindow, weight: NDArray[np.float64] | NDArray[np.bool_]) -> tuple[float, float]:
    """Return the observed and the expected rate of the positive label."""
    total = max(float(weight.sum()), 1e-12)
    return float(weight @ window.label) / total, float(weight @ window.probability) / total


def worst_bin(change: Change, reference: ScoredWindow, current: ScoredWindow) -> int:
    """Return the bin in which the mean of label − probability moved most, in units of what chance does to it."""
    if change.cells is None:
        return 0
    cells = change.cells
    gap, variance = np.zeros(cells.bins), np.zeros(cells.bins)
    for sign, codes, window in ((-1.0, cells.reference, reference), (1.0, cells.current, current)):
        rows = np.maximum(np.bincount(codes, minlength=cells.bins), 1)
        gap += sign * np.bincount(codes, weights=window.label - window.probability, minlength=cells.bins) / rows
        variance += 1.0 / rows
    return int((np.abs(gap) / np.sqrt(variance))[: cells.testable].argmax())


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
        return "applicants as a whole" if change.weight.std() < _EVEN else "applicants like those of the hold-out"
    return applicants_in(change.cells, contract, bin_)


def applicants_in(cells: Cells, contract: Contract, bin_: int) -> str:
    """Return which applicants a bin holds: `applicants whose purpose is "other"`."""
    name = cells.names[bin_]
    if cells.subject == SCORE:
        return f"applicants with a score {name}"
    column = contract.label_of(cells.subject)
    is_value = name == "not known" or name.startswith('"')
    return f"applicants whose {column} is {name}" if is_value else f"applicants with {column} {name}"
