"""Open alerts in the name of a run, and close those of earlier runs."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, cause_of, close_notices, open_alert, report_well
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import CheckReport, Severity
from loanwatch.monitoring.standing import WELL_WINDOWS, Verdict
from loanwatch.pipeline.context import RunContext

__all__ = ["follow_verdicts", "open_run_alert", "report_run_well"]


def open_run_alert(
    context: RunContext,
    connection: Connection[Any],
    *,
    event: Event,
    severity: Severity,
    message: str,
    model_id: int | None = None,
    close_after: int | None = None,
    is_news: bool = True,
) -> None:
    """Open an alert about the run's window in the caller's transaction; the same event of one window is told once.

    Parameters
    ----------
    model_id : int, optional
        The model it is about; by default the one that was online when the run began.
    close_after, is_news : optional
        See `open_alert`.
    """
    run = context.run
    open_alert(
        connection,
        event=event,
        severity=severity,
        message=f"{_title(context)}, {run.window}: {message}",
        run_id=run.id,
        model_id=run.champion_id if model_id is None else model_id,
        dedup_key=cause_of(run.contract, event, window=run.window),
        window=run.window,
        close_after=close_after,
        is_news=is_news,
    )


def report_run_well(
    context: RunContext, connection: Connection[Any], *, event: Event, reason: str | None = None
) -> None:
    """Say that the event did not happen in the run's window: an alert of it closes when that was so often enough."""
    cause = cause_of(context.run.contract, event, window=context.run.window)
    report_well(connection, dedup_key=cause, window=context.run.window, reason=reason)


def follow_verdicts(
    context: RunContext,
    connection: Connection[Any],
    report: CheckReport,
    *,
    event: Event,
    message: str,
    at_least: Severity = Severity.LOW,
) -> bool:
    """Open, count on or close the alert of a check, by what stands after this window; return whether there is news.

    The verdicts have waited already until they were well for long enough, so the first window in which none stands
    closes the alert. A window of the past says nothing about now: it neither opens nor closes one.

    Parameters
    ----------
    report : CheckReport
        With its standing where the check is followed from window to window; otherwise the window alone decides.
    at_least : Severity
        Verdicts below it are none of the event's business.
    """
    if "verdicts" not in report.details:
        if is_seen := report.severity >= at_least:
            open_run_alert(context, connection, event=event, severity=report.severity, message=message)
        else:
            report_run_well(context, connection, event=event)
        return is_seen
    if not report.details["is_newest"]:
        return False
    verdicts = [v for v in map(Verdict.from_dict, report.details["verdicts"]) if v.severity >= at_least]
    if not verdicts:
        reason = f"nothing found in {WELL_WINDOWS} windows in a row, last {context.run.window}"
        report_run_well(context, connection, event=event, reason=reason)
        return False
    if report.severity < at_least:
        return False
    is_news = _has_news(verdicts)
    severity = max(v.severity for v in verdicts)
    open_run_alert(context, connection, event=event, severity=severity, message=message, close_after=1, is_news=is_news)
    return is_news


def _has_news(verdicts: Sequence[Verdict]) -> bool:
    return any(verdict.change.is_news for verdict in verdicts)


def close_earlier_news(context: RunContext, connection: Connection[Any]) -> None:
    """Close what was told for information before the run began: nobody needs to settle it."""
    close_notices(connection, scope=context.run.contract, before=context.run.started_at)


def _title(context: RunContext) -> str:
    try:
        return context.contract.title
    except LoanwatchError:  # a pinned contract that cannot be read may be why the run failed
        return context.run.contract
