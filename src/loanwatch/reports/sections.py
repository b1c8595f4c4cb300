"""The parts that every page has: a check with its findings, a feature that moved."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanwatch.monitoring import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.records import record
from loanwatch.reports.cause import effect_of
from loanwatch.reports.charts import BarChart, RowChart, histogram_chart, row_chart
from loanwatch.reports.distribution import Distribution, distribution_of
from loanwatch.reports.formatting import figure, interval, measured, metric_title, p_value, share, text, title

__all__ = ["BADGES", "SKIPPED", "Badge", "CheckSection", "Feature", "features_of", "lines", "section_of"]

MAXIMUM_FINDINGS = 20
"""Of one check; more are counted. Together with the caps below no page comes near 500 KB."""
MAXIMUM_FEATURES = 12
MAXIMUM_LINES = 8


@record
class Badge:
    """A verdict as a word, a sign and a colour class: never the colour alone."""

    word: str
    sign: str
    style: str


@record
class FindingRow:
    """A line of a findings table."""

    badge: Badge
    subject: str
    sentence: str
    figures: str


@record
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


@record
class Feature:
    """A feature that moved."""

    title: str
    anchor: str
    badge: Badge
    sentence: str
    reliance: str
    effect: str
    """What it does to the score by itself."""
    histogram: BarChart | None
    rows: RowChart | None
    table: tuple[tuple[str, str, str], ...]
    """Bin or category, share in the reference, share now: what the chart draws, for those who do not see it."""
    absent: tuple[tuple[str, str, str], ...]
    quantiles: tuple[tuple[str, str, str], ...]


BADGES = {
    Severity.NONE: Badge(word="Pass", sign="✓", style="pass"),
    Severity.LOW: Badge(word="Notice", sign="i", style="low"),
    Severity.MEDIUM: Badge(word="Attention", sign="!", style="medium"),
    Severity.HIGH: Badge(word="Serious", sign="!!", style="high"),
    Severity.CRITICAL: Badge(word="Critical", sign="✕", style="high"),
}
SKIPPED = Badge(word="Not made", sign="–", style="skipped")


def lines(given: Sequence[str]) -> tuple[str, ...]:
    """Return the first lines, cut to size."""
    return tuple(text(line) for line in given[:MAXIMUM_LINES])


def section_of(
    name: str, report: CheckReport | None, titles: Mapping[str, str], *, where: str = "in this run"
) -> CheckSection:
    """Word and cut one check.

    Parameters
    ----------
    name : str
        The check's title.
    report : CheckReport or None
        None where it was not made.
    titles : mapping of str to str
        Column → what a person calls it.
    where : str
        Completes "This check was not made …".
    """
    anchor = name.lower().replace(" ", "-")
    if report is None:
        return CheckSection(title=name, anchor=anchor, badge=SKIPPED, summary=f"This check was not made {where}.")
    findings = sorted(report.findings, key=lambda f: -f.severity)
    return CheckSection(
        title=name,
        anchor=anchor,
        badge=SKIPPED if report.status is Status.SKIPPED else BADGES[report.severity],
        summary=text(report.summary),
        findings=tuple(_finding_row(f, titles) for f in findings[:MAXIMUM_FINDINGS]),
        more_findings=max(len(findings) - MAXIMUM_FINDINGS, 0),
        limitations=lines(report.limitations),
        more_limitations=max(len(report.limitations) - MAXIMUM_LINES, 0),
    )


def _finding_row(finding: Finding, titles: Mapping[str, str]) -> FindingRow:
    return FindingRow(
        badge=BADGES[finding.severity],
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


def features_of(
    report: CheckReport | None,
    titles: Mapping[str, str],
    importance: Mapping[str, float],
    *,
    cause: Mapping[str, Any] | None = None,
) -> tuple[tuple[Feature, ...], int]:
    """Lay out the features that moved, and say how many more there are.

    Parameters
    ----------
    report : CheckReport or None
        Of the data-drift check.
    titles : mapping of str to str
        Column → what a person calls it.
    importance : mapping of str to float
        Feature → share of the model's reliance, in [0, 1].
    cause : mapping, optional
        `Cause.to_dict()`, which knows what each feature does to the loss.
    """
    moved = _moved(report)
    features = tuple(
        _feature(at, finding, distribution, titles, importance, effect=effect_of(cause, finding.subject))
        for at, (finding, distribution) in enumerate(moved[:MAXIMUM_FEATURES])
    )
    return features, max(len(moved) - MAXIMUM_FEATURES, 0)


def _feature(
    at: int,
    finding: Finding,
    distribution: Distribution,
    titles: Mapping[str, str],
    importance: Mapping[str, float],
    *,
    effect: str,
) -> Feature:
    reliance: Any = importance.get(finding.subject)
    return Feature(
        title=_title(finding.subject, titles),
        anchor=f"feature-{at}",
        badge=BADGES[finding.severity],
        sentence=text(finding.sentence),
        reliance="" if reliance is None else f"{share(reliance)} of the deployed model’s reliance on features",
        effect=effect,
        histogram=histogram_chart(distribution.bins) if distribution.bins else None,
        rows=row_chart(distribution.categories) if distribution.categories else None,
        table=_table(distribution),
        absent=tuple((title(s.name), share(s.reference), share(s.current)) for s in distribution.absent),
        quantiles=tuple((title(s.name), figure(s.reference), figure(s.current)) for s in distribution.quantiles),
    )


def _table(distribution: Distribution) -> tuple[tuple[str, str, str], ...]:
    bins = ((b.named(figure), share(b.reference), share(b.current)) for b in distribution.bins)
    rows = ((text(c.name, 48), share(c.reference), share(c.current)) for c in distribution.categories)
    return (*bins, *rows)
