"""Columns that went missing together: one event, one finding."""

from collections.abc import Sequence

from loanwatch.monitoring.data_drift.sentences import percent
from loanwatch.monitoring.result import Finding

__all__ = ["group_joint_missing"]

_FEWEST_COLUMNS = 3
_ABSOLUTE, _RELATIVE = 0.01, 0.15
"""Changes this close to each other, in points or in proportion, are taken for one."""
_NAMED = 4


def group_joint_missing(findings: Sequence[Finding]) -> list[Finding]:
    """Put the findings of columns of which only the missing rate moved, by about as much, into one.

    A join that fails empties every column of the other table in the same rows. Said twelve times it hides what else
    happened.

    Parameters
    ----------
    findings : sequence of Finding
        Of single columns, with `missing_rate_change` among their measurements.

    Returns
    -------
    list of Finding
        Groups of at least three columns as one finding on the most severe of them, `details["columns"]` naming all and
        `details["subjects"]` how severe it is for each; every other finding as it was.
    """
    alone = [f for f in findings if f.details.get("aspects") == ["missing"]]
    left, grouped = sorted(alone, key=_change), []
    kept = [f for f in findings if f not in alone]
    while left:
        first = left[0]
        near = [f for f in left if abs(_change(f) - _change(first)) <= _tolerance(first)]
        left = [f for f in left if f not in near]
        if len(near) < _FEWEST_COLUMNS:
            kept.extend(near)
        else:
            grouped.append(_joined(near))
    return grouped + kept


def _change(finding: Finding) -> float:
    return next((m.value for m in finding.measurements if m.name == "missing_rate_change"), 0.0)


def _tolerance(finding: Finding) -> float:
    return max(_ABSOLUTE, _RELATIVE * abs(_change(finding)))


def _joined(findings: Sequence[Finding]) -> Finding:
    worst = max(findings, key=lambda f: (f.severity, f.details.get("reliance") or 0.0))
    names = [f.subject for f in findings]
    rates = worst.details["missing_rate"]
    told = ", ".join(name.replace("_", " ") for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    way = "more" if _change(worst) > 0 else "less"
    return Finding(
        check=worst.check,
        subject=worst.subject,
        severity=worst.severity,
        sentence=(
            f"{len(names)} columns are missing {way} often, all by about {percent(abs(_change(worst)))} of rows, as "
            f"after one event such as a join that failed: {told}{more} ({worst.subject.replace('_', ' ')}: "
            f"{percent(rates['reference'])} → {percent(rates['current'])})."
        ),
        measurements=worst.measurements,
        details={**worst.details, "columns": names, "subjects": {f.subject: f.severity.word for f in findings}},
    )
