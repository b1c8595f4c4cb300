"""The first thing to say of two tables: which columns vanished, appeared or changed their type."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from loanwatch.comparison.columns import ColumnReading, are_flags, read_column
from loanwatch.comparison.roles import SIDES
from loanwatch.comparison.texts import has_no_text
from loanwatch.contract import Contract
from loanwatch.errors import shorten
from loanwatch.monitoring import CheckReport, Finding, Severity, Status

__all__ = ["check_schema"]

_CHECK = "columns"
_LOOKED_AT = 2_000
"""Values of each table that show what a column of texts holds."""


def check_schema(samples: tuple[pl.DataFrame, pl.DataFrame], contract: Contract) -> CheckReport:
    """Compare the columns of two tables.

    A compared column that vanished is high, one that holds something else now (text instead of numbers) is high too:
    whatever reads the table will fail or guess. A new column is a notice.

    Parameters
    ----------
    samples : tuple of two DataFrame
        Rows of reference and current table, as they came.
    contract : Contract
        Names the compared columns.
    """
    findings = sorted(_findings(samples, contract), key=lambda f: -f.severity)
    worst = max((f.severity for f in findings), default=Severity.NONE)
    return CheckReport(
        check=_CHECK,
        status=Status.FAIL if worst >= Severity.MEDIUM else Status.PASS,
        summary=findings[0].sentence if findings else f"Both tables have the same {len(samples[0].columns):,} columns.",
        findings=tuple(findings),
        limitations=tuple(
            f"The {side} holds no rows: nothing can be compared with it."
            for side, sample in zip(SIDES, samples, strict=True)
            if sample.height == 0
        ),
    )


def with_lost_scores(report: CheckReport, sentence: str) -> CheckReport:
    """Add that the current table's scores are no probabilities: a score column that lost its meaning."""
    finding = _finding("score", Severity.HIGH, sentence)
    return replace(report, status=Status.FAIL, summary=sentence, findings=(finding, *report.findings))


def _findings(samples: tuple[pl.DataFrame, pl.DataFrame], contract: Contract) -> Iterator[Finding]:
    first, second = samples
    compared = {c.name for c in contract.monitored}
    for name in first.columns:
        if name not in second.columns:
            severity = Severity.HIGH if name in compared else Severity.LOW
            yield _finding(name, severity, f"{shorten(name)} is not in the current table.")
        elif name in compared and min(first[name].count(), second[name].count()):
            if first[name].dtype == second[name].dtype != pl.String:
                continue
            looked_at = [s[name].drop_nulls().head(_LOOKED_AT) for s in samples]
            if are_flags(looked_at):
                continue
            before, now = (read_column([v], rows=s.height) for v, s in zip(looked_at, samples, strict=True))
            if has_no_text(second[name].dtype) and before.compared:
                what = "nested values" if second[name].dtype.is_nested() else "bytes or objects"
                yield _finding(name, Severity.HIGH, f"{shorten(name)} held {_holds(before)} and now {what}.")
            elif _differs(before, now):
                yield _finding(name, Severity.HIGH, f"{shorten(name)} held {_holds(before)} and now {_holds(now)}.")
    for name in second.columns:
        if name not in first.columns:
            yield _finding(name, Severity.LOW, f"{shorten(name)} is new: the reference does not have it.")


def _differs(before: ColumnReading, now: ColumnReading) -> bool:
    """Whether the two cannot be read alike. A short table may look like identifiers without being any."""
    return before.compared and now.compared and before.kind is not now.kind


def _holds(reading: ColumnReading) -> str:
    return "numbers" if reading.kind.value == "numeric" else "categories"


def _finding(subject: str, severity: Severity, sentence: str) -> Finding:
    return Finding(check=f"{_CHECK}.schema", subject=subject, severity=severity, sentence=sentence)
