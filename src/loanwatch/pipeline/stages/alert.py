"""Open alerts in the name of a run, and close those of earlier runs."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, cause_of, close_notices, open_alert, report_well, was_told
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import CheckReport, Severity
from loanwatch.monitoring.standing import WELL_WINDOWS, Verdict
from loanwatch.pipeline.context import RunContext
from loanwatch.registry import is_newest_window

__all__ = ["close_earlier_news", "follow_halt", "follow_verdicts", "open_run_alert", "report_run_well"]


def open_run_alert(
    context: RunContext,
    connection: Connection[Any],
    *,
    event: Event,
    severity: Severity,
    message: str,
    model_id: int | None = None,
    alone: bool = False,
    close_after: int | None = None,
    is_news: bool = True,
) -> None:
    """Open an alert about the run's window in the caller's transaction; the same event of one window is told once.

    Parameters
    ----------
    model_id : int, optional
        The model it is about; by default the one that was online when the run began.
    alone : bool
        See `cause_of`.
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
        dedup_key=cause_of(run.contract, event, window=run.window, alone=alone),
        window=run.window,
        close_after=close_after,
        is_news=is_news,
    )


def report_run_well(
    context: RunContext, connection: Connection[Any], *, event: Event, alone: bool = False, reason: str | None = None
) -> None:
    """Say that the event did not happen in the run's window: an alert of it closes when that was so often enough."""
    cause = cause_of(context.run.contract, event, window=context.run.window, alone=alone)
    report_well(connection, dedup_key=cause, window=context.run.window, reason=reason)


def follow_halt(
    context: RunContext, connection: Connection[Any], report: CheckReport, *, reasons: Sequence[str]
) -> None:
    """Tell that the window's data halt the run, or that they are fit to use.

    It is the window alone that halts a run, whatever stands of those before it: the next one that is fit closes the
    alert. A window of the past that halts leaves applications unjudged and untrained on like any other. It is told
    once, as an alert of its own, which closes when that window was repaired and taken again; to what is the case now
    it neither adds nor does it end it.

    Parameters
    ----------
    report : CheckReport
        Of data quality, with its standing where a model was deployed.
    reasons : sequence of str
        Why the run halts; none where it goes on.
    """
    is_past = not report.details.get("is_newest", True)
    if not reasons:
        report_run_well(context, connection, event=Event.HALTED, alone=True)
        if not is_past:
            report_run_well(context, connection, event=Event.HALTED)
        return
    run, message = context.run, " ".join(reasons)
    if is_past and was_told(connection, dedup_key=cause_of(run.contract, Event.HALTED), window=run.window):
        return
    open_run_alert(
        context,
        connection,
        event=Event.HALTED,
        severity=report.severity,
        message=f"A window of the past, taken after newer ones. {message}" if is_past else message,
        alone=is_past,
        is_news=_has_news(report, at_least=Severity.HIGH),
    )


def follow_verdicts(context: RunContext, connection: Connection[Any], report: CheckReport, *, event: Event) -> bool:
    """Open, count on or close the alert of a check, by what stands after this window; return whether there is news.

    The verdicts have waited already until they were well for long enough, so the first window in which none stands
    closes the alert. A window of the past says nothing about now: it neither opens nor closes one. Whether it is one is
    asked again, for another run may have judged a later window since the check.
    """
    run = context.run
    assert run.champion_id is not None  # noqa: S101  (without a model no check of it was made)
    if not is_newest_window(
        connection, model_id=run.champion_id, check=report.check, window=(run.window_start, run.window_end)
    ):
        return False
    standing = [v.severity for v in _verdicts(report) if v.stands]
    if not standing:
        reason = f"nothing found in {WELL_WINDOWS} windows in a row, last {run.window}"
        report_run_well(context, connection, event=event, reason=reason)
    if not standing or report.severity is Severity.NONE:
        return False
    is_news = _has_news(report)
    open_run_alert(
        context,
        connection,
        event=event,
        severity=max(standing),
        message=report.summary,
        close_after=1,
        is_news=is_news,
    )
    return is_news


def _verdicts(report: CheckReport) -> list[Verdict]:
    return [Verdict.from_dict(values) for values in report.details.get("verdicts", ())]


def _has_news(report: CheckReport, *, at_least: Severity = Severity.LOW) -> bool:
    """Return whether the window opened or raised a verdict; of a report without standing everything is news."""
    if "verdicts" not in report.details:
        return True
    return any(v.change.is_news for v in _verdicts(report) if v.severity >= at_least)


def close_earlier_news(context: RunContext, connection: Connection[Any]) -> None:
    """Close what was told for information before the run began: nobody needs to settle it."""
    close_notices(connection, scope=context.run.contract, before=context.run.started_at)


def _title(context: RunContext) -> str:
    try:
        return context.contract.title
    except LoanwatchError:  # a pinned contract that cannot be read may be why the run failed
        return context.run.contract
