"""Fetch the window's applications into the run's snapshot."""

from typing import Any

from psycopg import Connection

from loanwatch.etl import extract_window
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.steps import StepResult, StepStatus

__all__ = ["extract"]


def extract(context: RunContext, connection: Connection[Any]) -> StepResult:  # noqa: ARG001  (a stage's signature)
    """Write `window.parquet`; every later stage reads that, so the run judges one state of the source."""
    run = context.run
    with context.snapshots.writing(context.key("window.parquet")) as path:
        extraction = extract_window(
            context.database, context.contract, start=run.window_start, end=run.window_end, destination=path
        )
    return StepResult(
        status=StepStatus.PASS,
        message=f"{extraction.rows:,} applications",
        result={"rows": extraction.rows, "unreadable_times": extraction.unreadable_times},
    )
