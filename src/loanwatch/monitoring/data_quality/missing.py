"""Missing values: more than in the reference, and columns that hold nothing at all."""

from collections.abc import Sequence

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import rise_of_share
from loanwatch.monitoring.data_quality.wording import listing, percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.records import record

__all__ = ["check_missing"]


@record
class _Loss:
    column: str
    rate: float
    before: float | None
    severity: Severity
    measurement: Measurement


def check_missing(inspection: Inspection) -> Outcome:
    """Return a finding for each group of columns that lost values, and every column's missing rate.

    Columns that miss the same rows are one finding. Without a reference only a column without any value is one.
    """
    losses = [_loss(inspection, c.name) for c in inspection.predictors]
    groups: dict[tuple[Severity, bytes], list[_Loss]] = {}
    for loss in losses:
        if loss.severity is not Severity.NONE:
            rows = np.packbits(inspection.frame[loss.column].is_null().to_numpy()).tobytes()
            groups.setdefault((loss.severity, rows), []).append(loss)
    return Outcome(
        findings=tuple(_finding(inspection.contract, group) for group in groups.values()),
        measurements={loss.column: (_rate(loss, inspection.rows),) for loss in losses},
    )


def _loss(inspection: Inspection, column: str) -> _Loss:
    rows, reference = inspection.frame[column].null_count(), inspection.reference
    rate = rows / inspection.rows
    before = reference.missing.get(column) if reference else None
    if reference is None or before is None:
        severity = Severity.MEDIUM if rows == inspection.rows else Severity.NONE
        measurement = Measurement(name="missing_rate", value=rate, n_current=inspection.rows)
        return _Loss(column=column, rate=rate, before=None, severity=severity, measurement=measurement)
    rise = rise_of_share(
        "missing_rate_change",
        before=before,
        n_before=reference.rows,
        rows=rows,
        n=inspection.rows,
        comparisons=len(inspection.predictors),
    )
    vanished = rate == 1.0 and rise.severity is not Severity.NONE
    severity = Severity.HIGH if vanished else rise.severity
    return _Loss(column=column, rate=rate, before=before, severity=severity, measurement=rise.measurement)


def _rate(loss: _Loss, rows: int) -> Measurement:
    return Measurement(name="missing_rate", value=loss.rate, n_current=rows)


def _finding(contract: Contract, group: Sequence[_Loss]) -> Finding:
    first = group[0]
    who = f"{listing(contract.label_of(x.column) for x in group)} {'is' if len(group) == 1 else 'are'}"
    then = "" if first.before is None else f"; in the reference {percent(first.before)} was missing"
    advice = "Check whether the source still delivers it." if len(group) == 1 else "Check the source they come from."
    where = "in every row" if first.rate == 1.0 else f"in {percent(first.rate)} of the rows"
    return Finding(
        check="data_quality.missing",
        subject=first.column,
        severity=first.severity,
        sentence=sentence(f"{who} missing {where}{then}. {advice}"),
        measurements=tuple(loss.measurement for loss in group),
        details={"columns": [x.column for x in group], "rate": first.rate, "reference_rate": first.before},
    )
