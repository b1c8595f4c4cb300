"""Columns that no longer vary, or of which one number has become far too frequent."""

import math

import numpy as np

from loanwatch.contract import Column, Kind
from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import rise_is_real, rise_of_share
from loanwatch.monitoring.data_quality.wording import percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_constant"]

NEAR_CONSTANT_SHARE = 0.995
RARE_SHARE = 0.05
"""Where no number had more of the reference's values, none becomes frequent by itself; zeros of a count may."""
MINIMUM_ROWS = 30
"""With fewer known values a column is constant by luck."""

STUCK_VALUES = 10
"""A column that had so many values in the reference does not become constant by itself."""


def check_constant(inspection: Inspection) -> Outcome:
    """Return a finding for each predictor in which nearly every known value is the same, or one number newly frequent.

    A small window misses rare values by chance: where there is a reference in which the column varied, it counts as
    constant only if chance does not explain that it no longer does.
    """
    findings, measurements = [], {}
    for column in inspection.predictors:
        value, rows, known = _most_frequent(inspection, column)
        if known < MINIMUM_ROWS:
            continue
        share = Measurement(name="most_frequent_share", value=rows / known, n_current=known)
        measurements[column.name] = (share,)
        if share.value < NEAR_CONSTANT_SHARE:
            if column.kind is Kind.NUMERIC and (spike := _spike(inspection, column, value, rows, known)):
                findings.append(spike)
            continue
        news = _is_news(inspection, column, rows, known)
        if news or _was_constant(inspection, column):
            findings.append(_finding(inspection, column, value, share, news=news))
    return Outcome(findings=tuple(findings), measurements=measurements)


def _most_frequent(inspection: Inspection, column: Column) -> tuple[object, int, int]:
    """Return the most frequent known value, the rows that have it, and the rows that have any."""
    if column.kind is Kind.NUMERIC:
        ordered = inspection.ordered[column.name]
        starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf))
        rows = np.diff(starts, append=ordered.size)
        return (float(ordered[starts[rows.argmax()]]), int(rows.max()), ordered.size) if ordered.size else (None, 0, 0)
    known = inspection.frame[column.name].drop_nulls()
    if not known.len():
        return None, 0, 0
    value, most = known.value_counts(sort=True, name="\0rows").row(0)
    return value, int(most), known.len()


def _spike(inspection: Inspection, column: Column, value: object, rows: int, known: int) -> Finding | None:
    """Tell of a number in many rows where the reference has none that is frequent: a default, or a feed that stuck.

    One beyond all values of the reference is told as such by another rule.
    """
    before, n_before = _usual(inspection, column)
    low, high = inspection.reference.ranges.get(column.name, (math.inf, -math.inf)) if inspection.reference else (0, 0)
    if not n_before or before > RARE_SHARE * n_before or not isinstance(value, float | int) or not low <= value <= high:
        return None
    comparisons = len(inspection.predictors)
    rise = rise_of_share(
        "most_frequent_share", before=before / n_before, n_before=n_before, rows=rows, n=known, comparisons=comparisons
    )
    if rise.severity < Severity.MEDIUM:
        return None
    return rise.finding(
        "spike",
        column.name,
        f"{column.label} is {value:,.10g} in {percent(rows / known)} of the known values; no number had more than "
        f"{percent(before / n_before)} in the reference. A default may stand for what is not known, or the feed stuck.",
        value=shorten(value, 40),
        share=rows / known,
        reference_share=before / n_before,
    )


def _is_news(inspection: Inspection, column: Column, rows: int, known: int) -> bool:
    """Return whether the most frequent value is more frequent than in the reference, beyond chance."""
    before, n_before = _usual(inspection, column)
    if not n_before:
        return True
    comparisons = len(inspection.predictors)
    return rise_is_real(before=before / n_before, n_before=n_before, rows=rows, n=known, comparisons=comparisons)


def _was_constant(inspection: Inspection, column: Column) -> bool:
    before, n_before = _usual(inspection, column)
    return before >= NEAR_CONSTANT_SHARE * n_before


def _usual(inspection: Inspection, column: Column) -> tuple[int, int]:
    reference = inspection.reference
    return reference.most_frequent.get(column.name, (0, 0)) if reference else (0, 0)


def _finding(inspection: Inspection, column: Column, value: object, share: Measurement, *, news: bool) -> Finding:
    before = inspection.reference.distinct.get(column.name) if inspection.reference else None
    stuck = news and before is not None and before >= STUCK_VALUES and share.value == 1.0
    shown = f"{value:,.10g}" if isinstance(value, float) else f"“{shorten(value, 40)}”"
    how = "every" if share.value == 1.0 else percent(share.value) + " of the"
    then = f" The reference had at least {before:,} different values: the feed is stuck." if stuck else ""
    return Finding(
        check="data_quality.constant",
        subject=column.name,
        severity=Severity.HIGH if stuck else Severity.LOW,
        sentence=sentence(
            f"{column.label} is {shown} in {how} known {'value' if share.value == 1.0 else 'values'}; "
            f"it tells applicants apart hardly or not at all.{then}"
        ),
        measurements=(share,),
        details={"value": shorten(value, 40), "share": share.value, "reference_values": before},
    )
