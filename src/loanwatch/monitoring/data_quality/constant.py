"""Columns that no longer vary."""

from loanwatch.contract import Column
from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import rise_is_real
from loanwatch.monitoring.data_quality.wording import percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_constant"]

NEAR_CONSTANT_SHARE = 0.995
MINIMUM_ROWS = 30
"""With fewer known values a column is constant by luck."""

STUCK_VALUES = 10
"""A column that had so many values in the reference does not become constant by itself."""


def check_constant(inspection: Inspection) -> Outcome:
    """Return a finding for each predictor in which nearly every known value is the same.

    A small window misses rare values by chance: where there is a reference in which the column varied, it counts as
    constant only if chance does not explain that it no longer does.
    """
    findings, measurements = [], {}
    for column in inspection.predictors:
        known = inspection.frame[column.name].drop_nulls()
        if len(known) < MINIMUM_ROWS:
            continue
        value, rows = known.value_counts(sort=True, name="\0rows").row(0)
        share = Measurement(name="most_frequent_share", value=rows / len(known), n_current=len(known))
        measurements[column.name] = (share,)
        if share.value < NEAR_CONSTANT_SHARE:
            continue
        news = _is_news(inspection, column, rows, len(known))
        if news or _was_constant(inspection, column):
            findings.append(_finding(inspection, column, value, share, news=news))
    return Outcome(findings=tuple(findings), measurements=measurements)


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
