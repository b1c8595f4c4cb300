"""Values that cleaning changed or dropped: sentinels, out of range, unreadable, rescaled, respelled."""

from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import rise_of_share
from loanwatch.monitoring.data_quality.wording import count, percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_repairs"]

BROKEN_SHARE = 0.5
"""Without a reference: half of a column out of range or unreadable is a broken feed, not a quirk."""

POOR_SHARE = 0.25

_PHRASES = {
    "sentinel": "a code for “not known”",
    "out_of_range": "a value outside the valid range",
    "unreadable": "a value that cannot be read",
    "rescaled": "a value recorded ten times too large, which was divided by ten",
    "respelled": "an unusual spelling, which was unified",
}


def check_repairs(inspection: Inspection) -> Outcome:
    """Return a finding for each column and issue that occurs, and its share of rows.

    A quirk that the reference has as well is listed without a severity. It has one when its share rose, or when there
    is no reference; a serious one when most of the column cannot be used.
    """
    found = [
        (column, issue, rows)
        for column in inspection.contract.column_names
        for issue, rows in sorted(inspection.issue_counts(column).items())
    ]
    measurements: dict[str, tuple[Measurement, ...]] = {}
    for column, issue, rows in found:
        share = Measurement(name=f"{issue}_rate", value=rows / inspection.rows, n_current=inspection.rows)
        measurements[column] = (*measurements.get(column, ()), share)
    findings = tuple(_finding(inspection, *each, comparisons=len(found)) for each in found)
    return Outcome(findings=findings, measurements=measurements)


def _finding(inspection: Inspection, column: str, issue: str, rows: int, *, comparisons: int) -> Finding:
    share = rows / inspection.rows
    severity, before, change = _judge(inspection, column, issue, rows, comparisons)
    then = "" if before is None else f"; {percent(before)} in the reference"
    name = inspection.contract.label_of(column)
    return Finding(
        check=f"data_quality.{issue}",
        subject=column,
        severity=severity,
        sentence=sentence(f"{name} holds {_PHRASES[issue]}, in {count(rows, 'row')} ({percent(share)}{then})."),
        measurements=(change,),
        details={"rows": rows, "share": share, "reference_share": before},
    )


def _judge(
    inspection: Inspection, column: str, issue: str, rows: int, comparisons: int
) -> tuple[Severity, float | None, Measurement]:
    """Return the severity, the share in the reference where it is known, and the measurement."""
    reference, share = inspection.reference, rows / inspection.rows
    if reference is None or column not in reference.repairs:
        plain = Measurement(name=f"{issue}_rate", value=share, n_current=inspection.rows)
        return _alone(issue, share), None, plain
    before = reference.repairs[column].get(issue, 0.0)
    rise = rise_of_share(
        f"{issue}_rate_change",
        before=before,
        n_before=reference.rows,
        rows=rows,
        n=inspection.rows,
        comparisons=comparisons,
    )
    # Respelling loses nothing: a new spelling everywhere is still only a notice.
    severity = min(Severity.LOW, rise.severity) if issue == "respelled" else rise.severity
    return severity, before, rise.measurement


def _alone(issue: str, share: float) -> Severity:
    """Return the severity where there is no reference; sentinels are in the contract, so they are expected."""
    if issue not in ("out_of_range", "unreadable"):
        return Severity.LOW
    if share >= BROKEN_SHARE:
        return Severity.HIGH
    return Severity.MEDIUM if share >= POOR_SHARE else Severity.LOW
