"""What a comparison of two tables came to."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from loanwatch.monitoring.result import CheckReport, Finding, Severity, Status, worst_of
from loanwatch.records import record

if TYPE_CHECKING:
    from loanwatch.monitoring.cause import Cause

__all__ = ["TableComparison"]


@record
class TableComparison:
    """The verdicts on two tables."""

    reference: str
    """Name of the reference table."""
    current: str
    reference_rows: int
    current_rows: int
    reports: Mapping[str, CheckReport]
    """By check: `columns`, `data_quality`, `data_drift`, and with label and score `model_drift` and `concept_drift`."""
    limitations: tuple[str, ...] = ()
    """What was not compared, or was decided without being told."""
    column_titles: Mapping[str, str] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    cause: "Cause | None" = None
    """Moved features or a changed relation, and what each has cost; with label and score."""

    @property
    def severity(self) -> Severity:
        """The highest severity of any finding."""
        return max((report.severity for report in self.reports.values()), default=Severity.NONE)

    @property
    def drifted(self) -> bool:
        """Whether a verdict asks somebody to act: medium or worse. Notices are no drift."""
        return self.severity >= Severity.MEDIUM

    @property
    def judged(self) -> bool:
        """Whether a check of drift could be made; without one, no drift says nothing."""
        return any(
            r.status is not Status.SKIPPED
            for name, r in self.reports.items()
            if name not in ("columns", "data_quality")
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, most severe first."""
        return tuple(sorted(self._findings(), key=lambda finding: -finding.severity))

    @property
    def summary(self) -> str:
        """One sentence: the worst check's, or that nothing moved."""
        worst = worst_of(self.reports)
        return self.reports["data_drift"].summary if worst.severity is Severity.NONE else worst.summary

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "reference": {"name": self.reference, "rows": self.reference_rows},
            "current": {"name": self.current, "rows": self.current_rows},
            "drift": self.drifted,
            "severity": self.severity.word,
            "summary": self.summary,
            "checks": {name: report.to_dict() for name, report in self.reports.items()},
            "cause": self.cause.to_dict() if self.cause else None,
            "limitations": list(self.limitations),
        }

    def to_html(self) -> str:
        """Return one page: what happened, does it matter, what shall I do; then each check and what moved."""
        from loanwatch.reports.comparison import ComparisonSummary, render_comparison  # noqa: PLC0415  (templates)

        return render_comparison(
            ComparisonSummary(
                reference=self.reference,
                current=self.current,
                reference_rows=self.reference_rows,
                current_rows=self.current_rows,
                reports=self.reports,
                limitations=self.limitations,
                column_titles=self.column_titles,
                importance=self.importance,
                cause=self.cause.to_dict() if self.cause else {},
            )
        )

    def _findings(self) -> Iterator[Finding]:
        for report in self.reports.values():
            yield from report.findings
