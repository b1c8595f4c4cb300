"""Columns that no longer vary."""

from loanwatch.contract import Column
from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_constant"]

NEAR_CONSTANT_SHARE = 0.995
MINIMUM_ROWS = 30
"""With fewer known values a column is constant by luck."""

STUCK_VALUES = 10
"""A column that had so many values in the reference does not become constant by itself."""


def check_constant(inspection: Inspection) -> Outcome:
    """Return a finding for each predictor in which nearly every known value is the same."""
    findings, measurements = [], {}
    for column in inspection.predictors:
        known = inspection.frame[column.name].drop_nulls()
        if len(known) < MINIMUM_ROWS:
            continue
        value, rows = known.value_counts(sort=True, name="\0rows").row(0)
        share = Measurement(name="most_frequent_share", value=rows / len(known), n_current=len(known))
        measurements[column.name] = (share,)
        if share.value >= NEAR_CONSTANT_SHARE:
            findings.append(_finding(inspection, column, value, share))
    return Outcome(findings=tuple(findings), measurements=measurements)


def _finding(inspection: Inspection, column: Column, value: object, share: Measurement) -> Finding:
    before = inspection.reference.distinct.get(column.name) if inspection.reference else None
    stuck = before is not None and before >= STUCK_VALUES and share.value == 1.0
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
