"""What the steps of a run came to: the rows of `run_step`."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from loanwatch.database import sql
from loanwatch.records import record

__all__ = ["Step", "StepResult", "StepStatus", "find_step", "result_of", "steps_of"]


class StepStatus(StrEnum):
    """What a step came to. `FAIL` is a verdict or an error; `SKIPPED` says why in its message."""

    STARTED = "started"
    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    FAIL = "fail"
    SKIPPED = "skipped"


@record
class StepResult:
    """What a stage function returns: it becomes the row of the step."""

    status: StepStatus
    message: str
    result: Mapping[str, Any] = field(default_factory=dict)


@record
class Step:
    """A row of `run_step`."""

    run_id: int
    stage: str
    status: str
    message: str | None
    attempt_count: int
    started_at: datetime
    finished_at: datetime | None
    result: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether the stage ended with a result; a step that raised an error is done again."""
        return self.finished_at is not None and "error" not in self.result


def steps_of(connection: Connection[Any], run_id: int) -> list[Step]:
    """Return the steps of a run in the order in which they began."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(sql("step_select"), {"run_id": run_id, "stage": None}).fetchall()


def result_of(steps: Mapping[str, Step], stage: str) -> Mapping[str, Any]:
    """Return the result of a stage among steps by stage; empty where it has not begun."""
    step = steps.get(stage)
    return step.result if step else {}


def find_step(connection: Connection[Any], key: Mapping[str, Any]) -> Step | None:
    """Return one step of a run; None where it has not begun."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(sql("step_select"), key).fetchone()
