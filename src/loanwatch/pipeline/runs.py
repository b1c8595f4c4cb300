"""Runs: one window of applications taken all the way, and the record of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from loanwatch.contract import Contract, contract_values, parse_contract
from loanwatch.database import Database, sql
from loanwatch.errors import LoanwatchError, WindowError
from loanwatch.records import record

__all__ = ["Run", "begin_run", "begun_run", "end_run", "find_run", "halted_windows", "list_runs", "window_name"]


@record
class Run:
    """A row of `run`."""

    id: int
    contract: str
    window_start: datetime
    window_end: datetime
    attempt: int
    status: str
    """`started`, `finished` or `failed`."""
    outcome: str | None
    """How it ended; one of `loanwatch.pipeline.Outcome`."""
    champion_id: int | None
    """The model that was deployed when the run began: every stage judges this one, also when it is retried."""
    model_id: int | None
    """The model that was deployed when the run ended."""
    settings: Mapping[str, Any]
    summary: Mapping[str, Any] | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def window(self) -> str:
        """The window as people write it; times of day only where there are any."""
        return window_name(self.window_start, self.window_end)

    def pinned_contract(self) -> Contract:
        """Return the contract as it was when the run began, so that a retry decides by the same rules."""
        return parse_contract(self.settings["contract"], source=f"contract of run {self.id}")


def begin_run(database: Database, contract: Contract, *, start: datetime, end: datetime, again: bool = False) -> Run:
    """Return the run of a window: the one under way or finished, or else a new one.

    Parameters
    ----------
    database : Database
        With the monitoring schema.
    contract : Contract
        Pinned in a new run.
    start, end : datetime
        Aware; the window is [start, end).
    again : bool
        Begin anew although the window was finished, or failed. A failed run otherwise continues, unless the contract
        has changed since: then its earlier steps no longer hold.

    Raises
    ------
    WindowError
        If start is not before end.
    """
    if start >= end:
        raise WindowError(f"the window starts at {_moment(start)} but ends at {_moment(end)}: start must be before end")
    key = {"contract": contract.name, "start": start, "end": end}
    with database.connect() as connection:
        latest = _fetch(connection, "run_latest", key)
        pinned = {"contract": contract_values(contract)}
        continues = latest is not None and latest.status == "failed" and latest.settings == pinned and not again
        if latest is not None and continues:
            connection.execute(sql("run_reopen"), {"id": latest.id})
        elif latest is None or latest.status == "failed" or (latest.status == "finished" and again):
            connection.execute(sql("run_begin"), key | {"settings": Jsonb(pinned)})
        begun = _fetch(connection, "run_latest", key)
    assert begun is not None  # noqa: S101  (inserted above, by this caller or by one at the same time)
    return begun


def begun_run(database: Database, contract: Contract, *, start: datetime, end: datetime) -> Run:
    """Return the newest run of a window that has one."""
    with database.connect() as connection:
        run = _fetch(connection, "run_latest", {"contract": contract.name, "start": start, "end": end})
    assert run is not None  # noqa: S101  (the caller saw it begin)
    return run


def find_run(database: Database, run_id: int) -> Run:
    """Return a run by its id.

    Raises
    ------
    LoanwatchError
        If there is no such run.
    """
    with database.connect() as connection:
        run = _fetch(connection, "run_by_id", {"id": run_id})
    if run is None:
        raise LoanwatchError(f"there is no run {run_id}: `loanwatch runs` lists them")
    return run


def list_runs(database: Database, contract: str, *, limit: int = 100) -> list[Run]:
    """Return the runs of a contract, newest first."""
    with database.connect() as connection, connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(sql("run_select"), {"contract": contract, "limit": limit}).fetchall()


def end_run(connection: Connection[Any], run: Run, *, status: str, outcome: str, summary: Mapping[str, Any]) -> bool:
    """Record how a run ended, in the caller's transaction; return False where another process finished it already."""
    ended = connection.execute(
        sql("run_end"), {"id": run.id, "status": status, "outcome": outcome, "summary": Jsonb(dict(summary))}
    )
    return ended.rowcount > 0


def halted_windows(
    connection: Connection[Any], contract: str, *, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the windows within [start, end) whose newest run was halted: nothing may be trained on them."""
    return connection.execute(sql("run_halted"), {"contract": contract, "start": start, "end": end}).fetchall()


def _fetch(connection: Connection[Any], name: str, parameters: Mapping[str, Any]) -> Run | None:
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(sql(name), parameters).fetchone()


def window_name(start: datetime, end: datetime) -> str:
    """Return a window as people write it; times of day only where there are any."""
    return f"{_moment(start)} … {_moment(end)}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M:%S}"
