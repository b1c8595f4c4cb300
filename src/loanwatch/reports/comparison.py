"""The page of a comparison of two tables."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from loanwatch.monitoring import CheckReport, Severity, Status
from loanwatch.monitoring.policy import only_of_reference
from loanwatch.monitoring.result import worst_of
from loanwatch.records import record
from loanwatch.reports.cause import CauseSection, SegmentTable, cause_of, segments_of
from loanwatch.reports.columns import ColumnTable, columns_of
from loanwatch.reports.formatting import text
from loanwatch.reports.history import History, history_of, points_of
from loanwatch.reports.models import ModelTable, deployed_table
from loanwatch.reports.render import environment
from loanwatch.reports.sections import BADGES, Badge, CheckSection, Feature, features_of, lines, section_of
from loanwatch.reports.summary import Headline

__all__ = ["ComparisonSummary", "render_comparison"]

_TITLES = {
    "columns": "Columns",
    "data_quality": "Data quality",
    "data_drift": "Data drift",
    "concept_drift": "Concept drift",
    "model_drift": "Model drift",
}
_HAPPENED = {
    "quality": "The current table cannot be trusted",
    "score": "The scores are others",
    "features": "Features moved",
    "relation": "The relation between features and label changed",
    "both": "Features moved, and their relation to the label changed",
}
"""By the verdict on the cause."""


@record
class ComparisonSummary:
    """Everything the page shows."""

    reference: str
    """Name of the reference table."""
    current: str
    reference_rows: int
    current_rows: int
    reports: Mapping[str, CheckReport]
    limitations: tuple[str, ...] = ()
    """What was not compared, or was decided without being told."""
    column_titles: Mapping[str, str] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    cause: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The highest severity of any finding."""
        return max((report.severity for report in self.reports.values()), default=Severity.NONE)


@record
class _Page:
    summary: ComparisonSummary
    headline: Headline
    badge: Badge
    checks: tuple[CheckSection, ...]
    features: tuple[Feature, ...]
    more_features: int
    columns: ColumnTable | None
    cause: CauseSection | None
    segments: SegmentTable | None
    history: History | None
    model: ModelTable | None
    limitations: tuple[str, ...]
    more_limitations: int


def render_comparison(summary: ComparisonSummary) -> str:
    """Return the HTML page of a comparison.

    Everything that comes from data is escaped and cut, so that the page stays under 500 KB whatever the tables hold.
    """
    return environment().get_template("comparison.html.j2").render(page=_page(summary))


def _page(summary: ComparisonSummary) -> _Page:
    drift = summary.reports.get("data_drift")
    features, more_features = features_of(drift, summary.column_titles, summary.importance, cause=summary.cause)
    limitations = lines(summary.limitations)
    return _Page(
        summary=summary,
        headline=_headline(summary),
        badge=BADGES[summary.severity],
        checks=tuple(
            section_of(
                title, summary.reports.get(check), summary.column_titles, where="without a label and a score column"
            )
            for check, title in _TITLES.items()
        ),
        features=features,
        more_features=more_features,
        columns=columns_of(drift, summary.column_titles),
        cause=cause_of(summary.cause, summary.column_titles),
        segments=segments_of(summary.reports.get("model_drift"), summary.column_titles),
        history=history_of(points_of(summary.reports.get("model_drift"))),
        model=deployed_table(summary.reports.get("model_drift"), caption="The scores", reference="Reference"),
        limitations=limitations,
        more_limitations=len(summary.limitations) - len(limitations),
    )


def _headline(summary: ComparisonSummary) -> Headline:
    worst = worst_of(summary.reports)
    relation = summary.reports.get("concept_drift")
    changed = relation is not None and relation.severity >= Severity.MEDIUM
    drift = (report for name, report in summary.reports.items() if name not in ("columns", "data_quality"))
    if summary.severity < Severity.MEDIUM and all(report.status is Status.SKIPPED for report in drift):
        return Headline(
            happened="The tables could not be compared",
            matters="It cannot be said: no check could be made.",
            advice="Read below what was missing.",
        )
    if summary.severity >= Severity.MEDIUM:
        quality = summary.reports.get("data_quality")
        broken = quality is not None and quality.severity >= Severity.HIGH
        cause = str(summary.cause.get("verdict", "none"))
        verdict = "quality" if broken else cause
        if broken and quality is not None and only_of_reference(quality):
            return Headline(
                happened="The reference cannot be trusted",
                matters=f"Yes. {quality.summary}",
                advice="Compare again without the rows that are named, and train nothing on them.",
            )
        told = quality if broken and quality is not None else worst
        advice = (
            "Have the source of the current table repaired before anything is trained on it or judged by it."
            if verdict == "quality"
            else "Look first whether the scores belong to these rows, and to the same model on the same scale."
            if verdict == "score"
            else text(summary.cause.get("sentence"))
            if verdict in ("features", "relation", "both")
            else "Train on rows after the change: the relation between features and label is another one."
            if changed
            else "Ask the source of the current table about what data quality found."
            if worst.check == "data_quality"
            else "Find out what happened to the columns below before a model is trusted with the current table."
        )
        happened = _HAPPENED.get(verdict, "The tables differ materially")
        return Headline(happened=happened, matters=f"Yes. {told.summary}", advice=advice)
    if summary.severity is Severity.LOW:
        return Headline(
            happened="Something moved, none of it far",
            matters=f"Not now. {worst.summary}",
            advice="Nothing needs to be done. Ask whether the notices below were expected.",
        )
    return Headline(
        happened="No drift", matters="No. Every check that could be made passed.", advice="Nothing needs to be done."
    )
