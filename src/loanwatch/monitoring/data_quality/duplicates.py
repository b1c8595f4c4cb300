"""Repeated rows, repeated ids, and applicants whose records contradict each other."""

from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import count, percent
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_contradictions", "check_duplicates"]

HIGH_SHARE = 0.2
"""One row in five is a copy: the feed was delivered twice, or the join is wrong."""

MEDIUM_SHARE = 0.1
LOW_SHARE = 0.02
"""Sources repeat a row now and then; the extraction drops it, and nobody needs to know."""
CONTRADICTING_SHARE = 0.5
"""Half of the applicants without a usable record: the model decides blindly."""


def check_duplicates(inspection: Inspection) -> Outcome:
    """Return findings on exact copies and older versions that the extraction dropped, and on ids that still repeat."""
    copies = _total(inspection, "duplicate_rows")
    older = _total(inspection, "superseded_rows")
    key = inspection.contract.keys.application
    ids = inspection.frame[key].drop_nulls() if key in inspection.frame.columns else None
    repeated = len(ids) - ids.n_unique() if ids is not None else 0
    cases = (
        ("duplicate_rows", "dataset", copies, "exact copies of another row; they were dropped"),
        ("superseded_rows", key, older, "older versions of the same application; the latest one counts"),
        ("duplicate_ids", key, repeated, f"applications whose {key} occurs before; every one of them counts"),
    )
    findings = [_finding(inspection, *case) for case in cases if case[2]]
    shares = tuple(_share(inspection, name, rows) for name, _, rows, _ in cases)
    return Outcome(findings=tuple(findings), measurements={"dataset": shares})


def check_contradictions(inspection: Inspection) -> Outcome:
    """Return a finding for each source table in which applicants have several different records."""
    findings, measurements = [], {}
    for audit in inspection.contract.audit:
        if audit.meaning != "records" or audit.column not in inspection.frame.columns:
            continue
        rows = int((inspection.frame[audit.column] > 1).sum())
        share = Measurement(name="contradicting_record_rate", value=rows / inspection.rows, n_current=inspection.rows)
        measurements[audit.column] = (share,)
        if rows:
            findings.append(
                Finding(
                    check="data_quality.contradicting_records",
                    subject=audit.column,
                    severity=_contradiction_severity(inspection, share.value),
                    sentence=(
                        f"{count(rows, 'application')} ({percent(share.value)}) come from applicants with several "
                        f"different records in {audit.table}; their values are taken as missing."
                    ),
                    measurements=(share,),
                    details={"table": audit.table, "rows": rows},
                )
            )
    return Outcome(findings=tuple(findings), measurements=measurements)


def _total(inspection: Inspection, meaning: str) -> int:
    columns = [a.column for a in inspection.contract.audit if a.meaning == meaning]
    return sum(int(inspection.frame[c].sum() or 0) for c in columns if c in inspection.frame.columns)


def _share(inspection: Inspection, name: str, rows: int) -> Measurement:
    """Return the share among the rows as the source holds them, copies and older versions included."""
    dropped = 0 if name == "duplicate_ids" else rows
    total = inspection.rows + dropped
    return Measurement(name=f"{name.removesuffix('s')}_rate", value=rows / total, n_current=total)


def _finding(inspection: Inspection, name: str, subject: str, rows: int, what: str) -> Finding:
    share = _share(inspection, name, rows)
    return Finding(
        check=f"data_quality.{name}",
        subject=subject,
        severity=_severity(share.value, dropped=name != "duplicate_ids"),
        sentence=f"The source holds {count(rows, 'row')} ({percent(share.value)}) that are {what}."
        if name != "duplicate_ids"
        else f"There are {rows:,} ({percent(share.value)}) {what}.",
        measurements=(share,),
        details={"rows": rows, "share": share.value},
    )


def _severity(share: float, *, dropped: bool) -> Severity:
    if share >= HIGH_SHARE:
        return Severity.HIGH
    if share >= MEDIUM_SHARE:
        return Severity.MEDIUM
    return Severity.NONE if dropped and share < LOW_SHARE else Severity.LOW


def _contradiction_severity(inspection: Inspection, share: float) -> Severity:
    """Where there is a reference, more contradictions show as a risen missing rate, which is judged there."""
    if share > CONTRADICTING_SHARE:
        return Severity.MEDIUM
    return Severity.NONE if inspection.reference else Severity.LOW
