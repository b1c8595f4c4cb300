"""End the run: what it came to, in the database."""

from typing import Any

from psycopg import Connection

from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.runs import end_run
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.pipeline.summary import summarise

__all__ = ["finish"]


def finish(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Record the outcome and the summary that lists and tables show."""
    summary = summarise(context)
    end_run(connection, context.run, status="finished", outcome=summary["outcome"], summary=summary)
    return StepResult(status=StepStatus.PASS, message=summary["outcome"], result=summary)
