"""From a summary to what the template prints: everything worded, cut to size and laid out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.reports.charts import BarChart, HistoryChart, RowChart, histogram_chart, history_chart, row_chart
from loanwatch.reports.distribution import Distribution, distribution_of
from loanwatch.reports.formatting import figure, interval, measured, metric_title, p_value, share, text, title
from loanwatch.reports.headline import headline_of
from loanwatch.reports.models import ModelTable, model_tables
from loanwatch.reports.summary import Headline, RunSummary

__all__ = ["Page", "page_of"]

MAXIMUM_FINDINGS = 20
"""Of one check; more are counted. Together with the caps below no page comes near 500 KB."""
MAXIMUM_FEATURES = 12
MAXIMUM_LINES = 8
MAXIMUM_POINTS = 60


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A verdict as a word, a sign and a colour class: never the colour alone."""

    word: str
    sign: str
    style: str


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """A line of a findings table."""

    badge: Badge
    subject: str
    sentence: str
    figures: str


@dataclass(frozen=True, kw_only=True)
class CheckSection:
    """One check as the page shows it."""

    title: str
    anchor: str
    badge: Badge
    summary: str
    findings: tuple[FindingRow, ...] = ()
    more_findings: int = 0
    limitations: tuple[str, ...] = ()
    more_limitations: int = 0


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature that moved."""

    title: str
    anchor: str
    badge: Badge
    sentence: str
    reliance: str
    histogram: BarChart | None
    rows: RowChart | None
    table: tuple[tuple[str, str, str], ...]
    """Bin or category, share in the reference, share now: what the chart draws, for those who do not see it."""
    absent: tuple[tuple[str, str, str], ...]
    quantiles: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the template prints."""

    summary: RunSummary
    headline: Headline
    badge: Badge
    reasons: tuple[str, ...]
    checks: tuple[CheckSection, ...]
    features: tuple[Feature, ...]
    more_features: int
    models: tuple[ModelTable, ...]
    history: HistoryChart | None
    history_table: tuple[tuple[str, str, str, str], ...]


_BADGES = {
    Severity.NONE: Badge(word="Pass", sign="✓", style="pass"),
    Severity.LOW: Badge(word="Notice", sign="i", style="low"),
    Severity.MEDIUM: Badge(word="Attention", sign="!", style="medium"),
    Severity.HIGH: Badge(word="Serious", sign="!!", style="high"),
    Severity.CRITICAL: Badge(word="Critical", sign="✕", style="high"),
}
_SKIPPED = Badge(word="Not made", sign="–", style="skipped")


def page_of(summary: RunSummary) -> Page:
    """Word, cut and lay out a summary."""
    moved = _moved(summary.data_drift)
    points = summary.history[-MAXIMUM_POINTS:]
    return Page(
        summary=summary,
        headline=headline_of(summary),
        badge=_run_badge(summary),
        reasons=_lines(summary.reasons),
        checks=tuple(_section(name, report, summary) for name, report in summary.checks),
        features=tuple(
            _feature(at, finding, distribution, summary)
            for at, (finding, distribution) in enumerate(moved[:MAXIMUM_FEATURES])
        ),
        more_features=max(len(moved) - MAXIMUM_FEATURES, 0),
        models=model_tables(summary),
        history=history_chart(points),
        history_table=tuple(
            (
                text(p.window, 40),
                figure(p.auc),
                interval(Measurement(name="auc", value=p.auc or 0.0, lower=p.lower, upper=p.upper)),
                figure(p.estimate),
            )
            for p in points
        ),
    )


def _run_badge(summary: RunSummary) -> Badge:
    reports = [report for _, report in summary.checks if report is not None]
    if summary.outcome == "failed":
        return Badge(word="Failed", sign="✕", style="high")
    return _BADGES[max((r.severity for r in reports), default=Severity.NONE)]


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(text(line) for line in lines[:MAXIMUM_LINES])


def _section(name: str, report: CheckReport | None, summary: RunSummary) -> CheckSection:
    anchor = name.lower().replace(" ", "-")
    if report is None:
        return CheckSection(title=name, anchor=anchor, badge=_SKIPPED, summary="This check was not made in this run.")
    findings = sorted(report.findings, key=lambda f: -f.severity)
    return CheckSection(
        title=name,
        anchor=anchor,
        badge=_SKIPPED if report.status is Status.SKIPPED else _BADGES[report.severity],
        summary=text(report.summary),
        findings=tuple(_finding_row(f, summary.column_titles) for f in findings[:MAXIMUM_FINDINGS]),
        more_findings=max(len(findings) - MAXIMUM_FINDINGS, 0),
        limitations=_lines(report.limitations),
        more_limitations=max(len(report.limitations) - MAXIMUM_LINES, 0),
    )


def _finding_row(finding: Finding, titles: Mapping[str, str]) -> FindingRow:
    return FindingRow(
        badge=_BADGES[finding.severity],
        subject=_title(finding.subject, titles),
        sentence=text(finding.sentence),
        figures="; ".join(_figures(m) for m in finding.measurements[:3]),
    )


def _figures(measurement: Measurement) -> str:
    ends, p = interval(measurement), p_value(measurement.p_value)
    extra = ", ".join(part for part in (ends, p) if part)
    told = f"{metric_title(measurement.name)} {measured(measurement.name, measurement.value)}"
    return f"{told} ({extra})" if extra else told


def _title(name: str, titles: Mapping[str, str]) -> str:
    return title(titles.get(name, name))


def _moved(report: CheckReport | None) -> list[tuple[Finding, Distribution]]:
    """Return the findings that recorded distributions, most severe first, each column once."""
    found: dict[str, tuple[Finding, Distribution]] = {}
    for finding in sorted(report.findings if report else (), key=lambda f: -f.severity):
        distribution = distribution_of(finding)
        if distribution is not None:
            found.setdefault(finding.subject, (finding, distribution))
    return list(found.values())


def _feature(at: int, finding: Finding, distribution: Distribution, summary: RunSummary) -> Feature:
    reliance: Any = summary.importance.get(finding.subject)
    return Feature(
        title=_title(finding.subject, summary.column_titles),
        anchor=f"feature-{at}",
        badge=_BADGES[finding.severity],
        sentence=text(finding.sentence),
        reliance="" if reliance is None else f"{share(reliance)} of the deployed model’s reliance on features",
        histogram=histogram_chart(distribution.bins) if distribution.bins else None,
        rows=row_chart(distribution.categories) if distribution.categories else None,
        table=_table(distribution),
        absent=tuple((title(s.name), share(s.reference), share(s.current)) for s in distribution.absent),
        quantiles=tuple((title(s.name), figure(s.reference), figure(s.current)) for s in distribution.quantiles),
    )


def _table(distribution: Distribution) -> tuple[tuple[str, str, str], ...]:
    bins = (
        (f"{figure(b.lower)} to {figure(b.upper)}", share(b.reference), share(b.current)) for b in distribution.bins
    )
    rows = ((text(c.name, 48), share(c.reference), share(c.current)) for c in distribution.categories)
    return (*bins, *rows)
