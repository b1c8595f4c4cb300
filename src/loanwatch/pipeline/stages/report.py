"""Write the run's page."""

from typing import Any

from psycopg import Connection

from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.reporting import write_report
from loanwatch.pipeline.steps import StepResult, StepStatus

__all__ = ["report"]


def report(context: RunContext, connection: Connection[Any]) -> StepResult:  # noqa: ARG001  (a stage's signature)
    """Write the HTML report under the run's id."""
    path = write_report(context)
    return StepResult(
        status=StepStatus.PASS, message=f"{path.stat().st_size / 1024:,.0f} KB", result={"path": str(path)}
    )
