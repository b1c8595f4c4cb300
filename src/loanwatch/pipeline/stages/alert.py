"""Open an alert in the name of a run."""

from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, open_alert
from loanwatch.monitoring import Severity
from loanwatch.pipeline.context import RunContext

__all__ = ["open_run_alert"]


def open_run_alert(
    context: RunContext, connection: Connection[Any], *, event: Event, severity: Severity, message: str
) -> None:
    """Open an alert about the run's window in the caller's transaction; the same event of one window is one alert."""
    run = context.run
    open_alert(
        connection,
        event=event,
        severity=severity,
        message=f"{context.contract.title}, {run.window}: {message}",
        run_id=run.id,
        model_id=run.champion_id,
        dedup_key=f"{run.contract}/{event.value}/{run.window}",
    )
