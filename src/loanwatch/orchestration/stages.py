"""The pipeline as tasks call it: by run id, with the settings of the task's process."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from loanwatch.errors import LoanwatchError, WindowError
from loanwatch.orchestration.connections import task_settings
from loanwatch.orchestration.window import window_of

if TYPE_CHECKING:
    from loanwatch.pipeline import Run, Step

__all__ = ["begin", "candidates_of", "fail", "perform", "permanent"]


def begin(
    *,
    start_date: str | None,
    end_date: str | None,
    interval_start: datetime | None,
    interval_end: datetime | None,
    run_after: datetime,
    again: bool,
) -> "Run":
    """Bring the schema up to date and return the run of the window: one under way or finished, or else a new one.

    The window is that of `window_of`; with `again` a window that was finished is taken anew.
    """
    from loanwatch.database import migrate, open_database
    from loanwatch.pipeline import begin_run

    with permanent():
        window = window_of(
            start_date=start_date,
            end_date=end_date,
            interval_start=interval_start,
            interval_end=interval_end,
            run_after=run_after,
        )
        settings = task_settings()
        database = open_database(settings)
        migrate(database)
        return begin_run(database, settings.contract(), start=window.start, end=window.end, again=again)


def perform(run_id: int, stage: str) -> "Step":
    """Do a stage of the run, or return what it came to when it was done before."""
    from loanwatch.pipeline import perform_stage

    with permanent():
        return perform_stage(run_id, stage, settings=task_settings())


def candidates_of(run_id: int) -> list[str]:
    """Return the names of the models to train, from the contract that the run pinned."""
    from loanwatch.pipeline import open_run

    return list(open_run(run_id, settings=task_settings()).contract.training.candidates)


def fail(run_id: int) -> str:
    """Record that the run could not be completed and open the alert that the command line opens; return why."""
    from loanwatch.pipeline import fail_run, open_run, steps_of

    context = open_run(run_id, settings=task_settings())
    with context.database.connect() as connection:
        unfinished = [step for step in steps_of(connection, run_id) if not step.is_done]
    reasons = [step.message or f"{step.stage} was stopped in the middle" for step in unfinished]
    no_data = any(step.result.get("error") == WindowError.__name__ for step in unfinished)
    error = (WindowError if no_data else LoanwatchError)("; ".join(reasons) or "a stage was not reached")
    fail_run(context, error)
    return str(error)


@contextlib.contextmanager
def permanent() -> Iterator[None]:
    """Keep Airflow from trying again what cannot succeed before somebody changes something."""
    try:
        yield
    except LoanwatchError as error:
        if error.retryable:
            raise
        from airflow.sdk.exceptions import AirflowFailException  # type: ignore[import-not-found]

        raise AirflowFailException(str(error)) from error
