"""Columns that appeared: the source delivers something that the contract does not describe."""

from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import count, listing
from loanwatch.monitoring.result import Finding, Severity

__all__ = ["check_columns"]


def check_columns(inspection: Inspection) -> Outcome:
    """Return findings on columns that the contract does not know and on columns that are not there.

    Cleaning gives an absent column back without any value, so a column that vanished is found as missing in every row.
    """
    contract = inspection.contract
    described = {*contract.column_names, *(e.name for e in contract.engineered), *(a.column for a in contract.audit)}
    extra = [shorten(c, 40) for c in inspection.frame.columns if c not in described]
    absent = [n for n in contract.column_names if n not in inspection.frame.columns]
    findings = []
    if extra:
        findings.append(_finding("appeared_columns", Severity.LOW, extra, "appeared that the contract does not know"))
    if absent:
        findings.append(_finding("vanished_columns", Severity.HIGH, absent, "vanished from the source"))
    return Outcome(findings=tuple(findings))


def _finding(name: str, severity: Severity, columns: list[str], what: str) -> Finding:
    return Finding(
        check=f"data_quality.{name}",
        subject=columns[0],
        severity=severity,
        sentence=f"{count(len(columns), 'column')} {what}: {listing(columns, limit=5)}.",
        details={"columns": columns[:50]},
    )
