"""Open alerts in the name of a run, and close those of earlier runs."""

from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, cause_of, open_alert, report_well
from loanwatch.monitoring import Severity
from loanwatch.pipeline.context import RunContext

__all__ = ["open_run_alert", "report_run_well"]


def open_run_alert(
    context: RunContext, connection: Connection[Any], *, event: Event, severity: Severity, message: str
) -> None:
    """Open an alert about the run's window in the caller's transaction; the same event of one window is told once."""
    run = context.run
    open_alert(
        connection,
        event=event,
        severity=severity,
        message=f"{context.contract.title}, {run.window}: {message}",
        run_id=run.id,
        model_id=run.champion_id,
        dedup_key=cause_of(run.contract, event, window=run.window),
        window=run.window,
    )


def report_run_well(context: RunContext, connection: Connection[Any], *, event: Event) -> None:
    """Say that the event did not happen in the run's window: an alert of it closes when that was so often enough."""
    cause = cause_of(context.run.contract, event, window=context.run.window)
    report_well(connection, dedup_key=cause, window=context.run.window)
