"""A column whose unit changed: cents for currency, months for years, thousands for ones."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Column, Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.mixed_scales import part_on_scale
from loanwatch.monitoring.data_quality.reference import PROBABILITIES
from loanwatch.monitoring.data_quality.wording import percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.statistics import median, quantiles

__all__ = ["check_units"]

FACTORS = (10.0, 12.0, 100.0, 1000.0)
"""Tenths and tens, months and years, cents, thousands."""

_ALL_FACTORS = tuple(f for factor in FACTORS for f in (factor, 1 / factor))

TOLERANCE = float(np.log(1.25))
"""On the logarithm of the ratio of the medians: honest drift never comes near a factor of eight."""

SPREAD_TOLERANCE = 0.35
"""How much the quartiles may disagree on the factor: a new unit moves them all alike, drift does not."""

SHARE_TOLERANCE = 0.1
"""How much the share of values that stay in range may miss what a factor foretells."""

LOST_SHARE = 0.25
MINIMUM_ROWS = 30
RESCALED_RISE = 0.25
BULK = slice(PROBABILITIES.index(0.25), PROBABILITIES.index(0.75) + 1)


def check_units(inspection: Inspection) -> Outcome:
    """Return a finding for each numeric column that the reference knows on another scale."""
    if inspection.reference is None:
        return Outcome(limitations=("Unit changes were not looked for: there is no reference to compare with.",))
    columns = [c for c in inspection.predictors if c.kind is Kind.NUMERIC]
    rules = (_moved, _truncated, _tenfold, _mixed)
    findings = (next(filter(None, (rule(inspection, c) for rule in rules)), None) for c in columns)
    return Outcome(findings=tuple(f for f in findings if f is not None))


def _moved(inspection: Inspection, column: Column) -> Finding | None:
    """Compare the quartiles with the reference's."""
    reference = inspection.reference
    before = reference.quantiles.get(column.name) if reference else None
    known = inspection.ordered[column.name]
    if before is None or len(known) < MINIMUM_ROWS:
        return None
    old, new = np.asarray(before)[BULK], quantiles(known, PROBABILITIES[BULK])
    if (old <= 0).any() or (new <= 0).any() or old[0] == old[-1]:
        return None
    ratios = np.log(new) - np.log(old)  # a quotient of extreme values overflows
    factor = _nearest_factor(median(ratios))
    if factor is None or np.ptp(ratios) > SPREAD_TOLERANCE:
        return None
    middle = len(old) // 2
    return _finding(
        column,
        factor,
        f"its median is {_number(new[middle])}, {_number(old[middle])} in the reference",
        Measurement(name="scale_factor", value=float(np.exp(median(ratios))), n_current=len(known)),
    )


def _truncated(inspection: Inspection, column: Column) -> Finding | None:
    """Recognise a new unit by what the valid range left of it.

    Cleaning drops values out of range, so a large factor leaves one tail only. Each factor foretells how many values
    stay and what their median is; the one that fits both is named.
    """
    reference, known = inspection.reference, inspection.ordered[column.name]
    before = reference.quantiles.get(column.name) if reference else None
    lost = inspection.issue_counts(column.name).get("out_of_range", 0)
    if before is None or len(known) < MINIMUM_ROWS or lost < LOST_SHARE * (lost + len(known)):
        return None
    kept, middle = len(known) / (lost + len(known)), median(known)
    fits = {f: fit for f in _ALL_FACTORS if (fit := _misfit(np.asarray(before), column, f, kept, middle)) is not None}
    if not fits:
        return None
    factor = min(fits, key=lambda f: fits[f])
    what = f"{percent(1 - kept)} of its values are now outside the valid range, and the rest fits that scale"
    return _finding(column, factor, what, Measurement(name="scale_factor", value=factor, n_current=len(known)))


def _misfit(before: NDArray[np.float64], column: Column, factor: float, kept: float, middle: float) -> float | None:
    """Return how far median and share are from what the factor foretells, as logarithms; None where they do not fit."""
    minimum = -np.inf if column.minimum is None else column.minimum
    maximum = np.inf if column.maximum is None else column.maximum
    low, high = np.interp([minimum / factor, maximum / factor], before, PROBABILITIES, left=0.0, right=1.0)
    foretold = factor * float(np.interp((low + high) / 2, PROBABILITIES, before))
    if not abs((high - low) - kept) <= SHARE_TOLERANCE or min(foretold, middle, high - low) <= 0:
        return None
    misfit = abs(float(np.log(middle / foretold)))
    return misfit + abs(float(np.log(kept / (high - low)))) if misfit <= TOLERANCE else None


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _nearest_factor(log_ratio: float) -> float | None:
    best = min(_ALL_FACTORS, key=lambda f: abs(np.log(f) - log_ratio))
    return best if abs(np.log(best) - log_ratio) <= TOLERANCE else None


def _tenfold(inspection: Inspection, column: Column) -> Finding | None:
    """Compare how many values cleaning divided by ten, which hides a new unit from the quartiles."""
    reference = inspection.reference
    if reference is None or not column.tenfold:
        return None
    known = inspection.frame[column.name].drop_nulls()
    rows = inspection.issue_counts(column.name).get("rescaled", 0)
    share = rows / max(len(known), 1)
    usable = 1 - reference.missing.get(column.name, 0.0)
    before = reference.repairs.get(column.name, {}).get("rescaled", 0.0) / max(usable, 1e-9)
    if len(known) < MINIMUM_ROWS or share - before < RESCALED_RISE or share < 0.5:
        return None
    what = f"{percent(share)} of the values were recorded ten times too large, {percent(before)} in the reference"
    return _finding(column, 10.0, what, Measurement(name="rescaled_share", value=share, n_current=len(known)))


def _mixed(inspection: Inspection, column: Column) -> Finding | None:
    """Find values on another scale, of one branch among many that reports in thousands, or all of them."""
    reference = inspection.reference
    before = reference.numeric.get(column.name) if reference else None
    known = inspection.ordered[column.name]
    part = part_on_scale(before, known, _ALL_FACTORS) if before is not None else None
    if part is None:
        return None
    share = Measurement(name="rescaled_share", value=part.share, n_current=len(known))
    if part.share == 1.0:  # as of a column with zeros, of which the quartiles tell nothing
        return _finding(column, part.factor, "its values fit that scale", share)
    return _finding(column, part.factor, "the rest is as it was", share, part=part.share)


def _finding(
    column: Column, factor: float, what: str, measurement: Measurement, *, part: float | None = None
) -> Finding:
    subject = column.label if part is None else f"A part of {column.label}, about {percent(part)} of the values,"
    scale = f"{factor:,.0f} times larger" if factor > 1 else f"{1 / factor:,.0f} times smaller"
    unit = f" (it should be in {column.unit})" if column.unit else ""
    return Finding(
        check="data_quality.unit_change",
        subject=column.name,
        severity=Severity.HIGH,
        sentence=sentence(f"{subject} is {scale} than before: {what}. Its unit probably changed{unit}."),
        measurements=(measurement,),
        details={"factor": factor} if part is None else {"factor": factor, "share": part},
    )
