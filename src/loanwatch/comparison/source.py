"""From what the caller has - a frame, a file, a query - to a table."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from loanwatch.comparison.files import open_file
from loanwatch.comparison.frames import read_frame
from loanwatch.comparison.table import Table
from loanwatch.errors import SourceError, shorten

__all__ = ["Source", "open_table"]

if TYPE_CHECKING:
    from loanwatch.database import Database

Source = Any
"""A path, `sql:…`, or a frame of polars, pandas or Arrow."""

_SQL = "sql:"


def open_table(source: Source, *, name: str, stack: ExitStack, database: "Database | None" = None) -> Table:
    """Return the table that a source names.

    Parameters
    ----------
    source : path, `sql:TABLE`, `sql:SELECT …`, or a frame of polars (also lazy), pandas or Arrow
    name : str
        What messages call a source that has no name of its own: `reference`, `current`.
    stack : ExitStack
        Keeps temporary files until it is closed.
    database : Database, optional
        Where `sql:` sources are read.

    Raises
    ------
    SourceError
        If it cannot be read, has a column name twice, or is nothing that holds a table.
    """
    if isinstance(source, str) and source.startswith(_SQL):
        return _query(source.removeprefix(_SQL), stack, database).settled()
    if isinstance(source, str) and "://" in source:  # an address may hold a password, which no message repeats
        raise SourceError(
            f"{name} is an address ({source.partition(':')[0]}): name a file, or sql:TABLE with DATABASE_URL set"
        )
    if isinstance(source, str) and not source:
        raise SourceError(f"{name}: the path is empty")
    if isinstance(source, str | Path):
        return open_file(Path(source), stack).settled()
    return Table(name=name, lazy=read_frame(source, name)).settled()


def _query(query: str, stack: ExitStack, database: "Database | None") -> Table:
    name = f"{_SQL}{shorten(query, 60)}"
    if database is None:
        raise SourceError(f"{name}: no database is given to read it from")
    from loanwatch.comparison.sql import copy_query  # noqa: PLC0415  (the drivers are heavy)

    path = Path(stack.enter_context(TemporaryDirectory(prefix="loanwatch-"))) / "query.parquet"
    copy_query(database, query, path)
    return Table(name=name, lazy=pl.scan_parquet(path))
