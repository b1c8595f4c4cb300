"""Two numeric columns that the feed delivers under each other's names."""

import numpy as np

from loanwatch.contract import Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import sentence
from loanwatch.monitoring.profile import NumericProfile
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.statistics import FloatArray
from loanwatch.statistics.kolmogorov_smirnov import KOLMOGOROV_99

__all__ = ["check_swapped"]

MINIMUM_ROWS = 30
MINIMUM_VALUES = 4
MOST_MOVED = 0.25
"""Of the columns that moved far, so many are swapped: where most of them moved, some come to lie in another's place."""
APART = 0.3
"""Kolmogorov-Smirnov distance from its own reference that a swapped column has at least; smaller, it does no harm."""
ALIKE = 0.01
"""And at most from the other one's, beyond chance."""
CLEARLY = 1 / 3
"""The other one's reference is nearer than its own by this much: columns that resemble each other drift into each
other's place by accident."""


def check_swapped(inspection: Inspection) -> Outcome:
    """Return a finding for each of two numeric predictors that hold what the other one held in the reference.

    More than two that changed places are not seen; nor are two whose distributions are alike, nor two of a few values
    each: shares change places by accident.
    """
    reference = inspection.reference
    if reference is None:
        return Outcome()
    moved: dict[str, float] = {}
    for column in inspection.predictors:
        before = reference.numeric.get(column.name)
        if column.kind is Kind.NUMERIC and before is not None and before.present >= MINIMUM_ROWS:
            values = inspection.ordered[column.name]
            distance = _distance(values, before) if values.size >= MINIMUM_ROWS else 0.0
            if distance >= APART:
                moved[column.name] = distance
    partners = {name: partner for name in moved if (partner := _partner(name, moved, inspection)) is not None}
    mutual = {name: other for name, other in partners.items() if partners.get(other) == name}
    if len(mutual) < MOST_MOVED * len(moved):
        return Outcome()
    return Outcome(findings=tuple(_finding(name, other, moved[name], inspection) for name, other in mutual.items()))


def _partner(name: str, moved: dict[str, float], inspection: Inspection) -> str | None:
    """Return the column in whose place the values of this one lie, the nearest if there are several."""
    assert inspection.reference is not None  # noqa: S101  (the caller looked)
    values, numeric = inspection.ordered[name], inspection.reference.numeric
    has_few = {other: np.count_nonzero(numeric[other].counts) < MINIMUM_VALUES for other in moved}
    crossed = {
        other: _distance(values, numeric[other])
        for other in moved
        if other != name and not (has_few[name] and has_few[other])
    }
    if not crossed:
        return None
    nearest = min(crossed, key=lambda other: crossed[other])
    chance = KOLMOGOROV_99 * float(np.sqrt(1.0 / values.size + 1.0 / numeric[nearest].present))
    return nearest if crossed[nearest] <= min(ALIKE + chance, CLEARLY * moved[name]) else None


def _finding(name: str, other: str, distance: float, inspection: Inspection) -> Finding:
    titles = {c.name: c.label for c in inspection.predictors}
    return Finding(
        check="data_quality.swapped",
        subject=name,
        severity=Severity.HIGH,
        sentence=sentence(
            f"{titles[name]} holds what {titles[other]} held in the reference, and the other way round: the two "
            f"columns are probably swapped."
        ),
        measurements=(Measurement(name="kolmogorov_smirnov", value=distance, n_current=inspection.ordered[name].size),),
        details={"columns": [name, other]},
    )


def _distance(ordered: FloatArray, reference: NumericProfile) -> float:
    """Return the largest difference between the shares of ascending values and of a reference, at its edges."""
    at = reference.edges.edges
    seen = np.searchsorted(ordered, at, side="right") / ordered.size
    return float(np.abs(seen - reference.shares_up_to(at)).max(initial=0.0))
