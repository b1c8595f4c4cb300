"""Every column that was compared, also those that did not move: who looks for one finds it."""

import math
from collections.abc import Mapping

from loanwatch.monitoring import CheckReport, Measurement, Severity
from loanwatch.records import record
from loanwatch.reports.formatting import figure, measured, p_value, title
from loanwatch.reports.sections import BADGES, Badge

__all__ = ["ColumnRow", "ColumnTable", "columns_of"]

MAXIMUM_COLUMNS = 300


@record
class ColumnRow:
    """A column with its verdict and the figures that it rests on."""

    title: str
    badge: Badge
    psi: str
    chance: str
    missing: str
    """Change of the missing rate."""


@record
class ColumnTable:
    """The columns, those that moved farthest first."""

    rows: tuple[ColumnRow, ...]
    more: int


def columns_of(report: CheckReport | None, titles: Mapping[str, str]) -> ColumnTable | None:
    """List the columns that the data-drift check measured; None without any.

    Parameters
    ----------
    report : CheckReport or None
        Of the data-drift check.
    titles : mapping of str to str
        Column → what a person calls it.
    """
    verdicts: dict[str, Severity] = {}
    for finding in report.findings if report else ():
        verdicts[finding.subject] = max(verdicts.get(finding.subject, Severity.NONE), finding.severity)
    compared = {
        name: {m.name: m for m in measurements}
        for name, measurements in (report.measurements if report else {}).items()
        if any(m.name == "psi" for m in measurements)
    }
    ordered = sorted(compared, key=lambda name: (-verdicts.get(name, Severity.NONE), -_psi(compared[name])))
    rows = [_row(titles.get(name, name), verdicts.get(name, Severity.NONE), compared[name]) for name in ordered]
    return ColumnTable(rows=tuple(rows[:MAXIMUM_COLUMNS]), more=max(len(rows) - MAXIMUM_COLUMNS, 0)) if rows else None


def _psi(measurements: Mapping[str, Measurement]) -> float:
    value = measurements["psi"].value
    return value if math.isfinite(value) else 0.0


def _row(name: str, severity: Severity, measurements: Mapping[str, Measurement]) -> ColumnRow:
    psi, missing = measurements["psi"], measurements.get("missing_rate_change")
    return ColumnRow(
        title=title(name),
        badge=BADGES[severity],
        psi=figure(psi.value),
        chance=p_value(psi.p_value),
        missing=measured("missing_rate_change", missing.value) if missing else "",
    )
