"""From a summary to what the template prints: everything worded, cut to size and laid out."""

from loanwatch.monitoring import Severity
from loanwatch.records import record
from loanwatch.reports.cause import CauseSection, SegmentTable, cause_of, segments_of
from loanwatch.reports.columns import ColumnTable, columns_of
from loanwatch.reports.headline import headline_of
from loanwatch.reports.history import History, history_of
from loanwatch.reports.models import ModelTable, model_tables
from loanwatch.reports.sections import BADGES, Badge, CheckSection, Feature, features_of, lines, section_of
from loanwatch.reports.summary import Headline, RunSummary

__all__ = ["Page", "page_of"]


@record
class Page:
    """All that the template prints."""

    summary: RunSummary
    headline: Headline
    badge: Badge
    reasons: tuple[str, ...]
    checks: tuple[CheckSection, ...]
    features: tuple[Feature, ...]
    more_features: int
    columns: ColumnTable | None
    cause: CauseSection | None
    segments: SegmentTable | None
    models: tuple[ModelTable, ...]
    history: History | None


def page_of(summary: RunSummary) -> Page:
    """Word, cut and lay out a summary."""
    features, more_features = features_of(
        summary.data_drift, summary.column_titles, summary.importance, cause=summary.cause
    )
    return Page(
        summary=summary,
        headline=headline_of(summary),
        badge=_run_badge(summary),
        reasons=lines(summary.reasons),
        checks=tuple(section_of(name, report, summary.column_titles) for name, report in summary.checks),
        features=features,
        more_features=more_features,
        columns=columns_of(summary.data_drift, summary.column_titles),
        cause=cause_of(summary.cause, summary.column_titles),
        segments=segments_of(summary.model_drift, summary.column_titles),
        models=model_tables(summary),
        history=history_of(summary.history),
    )


def _run_badge(summary: RunSummary) -> Badge:
    reports = [report for _, report in summary.checks if report is not None]
    if summary.outcome == "failed":
        return Badge(word="Failed", sign="✕", style="high")
    return BADGES[max((r.severity for r in reports), default=Severity.NONE)]
