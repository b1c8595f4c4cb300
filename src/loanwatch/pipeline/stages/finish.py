"""End the run: what it came to, in the database."""

from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.runs import end_run
from loanwatch.pipeline.stages.alert import close_earlier_news, report_run_well
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.pipeline.summary import summarise

__all__ = ["finish"]


def finish(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Record the outcome and the summary that lists and tables show."""
    summary = summarise(context)
    end_run(connection, context.run, status="finished", outcome=summary["outcome"], summary=summary)
    for event in (Event.RUN_FAILED, Event.NO_DATA):
        report_run_well(context, connection, event=event)
    close_earlier_news(context, connection)
    return StepResult(status=StepStatus.PASS, message=summary["outcome"], result=summary)
