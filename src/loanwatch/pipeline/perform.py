"""Do a stage of a run once, however often it is asked for.

A step's work is deterministic by run id. What it writes to the database and the mark that it is done are one
transaction; files are whole or absent and written before that. So a process that is killed anywhere leaves either
nothing or a finished step, and asking again continues from there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.errors import LoanwatchError, RunBusyError
from loanwatch.logging import get_logger
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.steps import Step, StepResult, StepStatus, find_step

__all__ = ["StepFunction", "perform"]

_log = get_logger(__name__)

LOCK_TIMEOUT_MINUTES = 30
"""How long to wait for another process that works on the same step; training a large window takes minutes."""

StepFunction = Callable[[RunContext, Connection[Any]], StepResult]


def perform(context: RunContext, stage: str, function: StepFunction) -> Step:
    """Do a stage of the run, or return what it came to when it was done before.

    Raises
    ------
    RunBusyError
        If another process holds the step for longer than the lock timeout.
    LoanwatchError
        Whatever the stage raised; the step is marked `fail` and can be asked for again.
    """
    run_id = context.run.id
    key = {"run_id": run_id, "stage": stage}
    with context.database.connect() as connection:
        _lock(connection, key)
        done = find_step(connection, key)
        if done is not None and done.is_done:
            return done
        connection.execute(sql("step_start"), key)
        connection.commit()
        _log.info("step started", **key)
        try:
            result = function(context, connection)
            _end(connection, key, result)
            connection.commit()
        except Exception as error:
            connection.rollback()
            _end_in_error(connection, key, error)
            raise
        _log.info("step done", **key, status=result.status.value, message=result.message)
        ended = find_step(connection, key)
    assert ended is not None  # noqa: S101  (updated above under the lock)
    return ended


def _lock(connection: Connection[Any], key: Mapping[str, Any]) -> None:
    """Hold the step for this session: the lock goes with the connection, also when the process is killed."""
    try:
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_MINUTES}min'")
        connection.execute(sql("step_lock"), key)
        connection.execute("SET lock_timeout = 0")
        connection.commit()
    except LockNotAvailable as error:
        raise RunBusyError(
            f"another process has worked on {key['stage']} of run {key['run_id']} for {LOCK_TIMEOUT_MINUTES} minutes: "
            "wait for it or stop it"
        ) from error


def _end(connection: Connection[Any], key: Mapping[str, Any], result: StepResult) -> None:
    connection.execute(
        sql("step_end"),
        {**key, "status": result.status.value, "message": result.message, "result": Jsonb(dict(result.result))},
    )


def _end_in_error(connection: Connection[Any], key: Mapping[str, Any], error: Exception) -> None:
    """Mark the step as failed by an error, so that it is done again; that error is what gets raised."""
    message = str(error) if isinstance(error, LoanwatchError) else f"{type(error).__name__}: {error}"
    try:
        failed = StepResult(status=StepStatus.FAIL, message=message[:2000], result={"error": type(error).__name__})
        _end(connection, key, failed)
        connection.commit()
    except Exception as second:  # noqa: BLE001  (the database may be what failed)
        _log.warning("the failure could not be recorded", **key, reason=str(second))
