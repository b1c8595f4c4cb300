"""Load a folder of files into the source tables: all of it or nothing, and as often as one likes."""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from loanwatch.contract import Contract, Table
from loanwatch.database import Database, explained
from loanwatch.errors import LoadError, SourceError
from loanwatch.etl.files import SourceFile, SourceRow, find_file, open_rows
from loanwatch.etl.tables import column_types, columns_of, create_table
from loanwatch.etl.values import Reader, reader_for
from loanwatch.records import record

__all__ = ["LoadReport", "TableLoad", "load_folder"]

_LOCK = 0x6C6F6164  # "load": the advisory lock of whoever loads
_SHOWN = 20
_PROGRESS_ROWS = 10_000


@record
class TableLoad:
    """What became of one file."""

    table: str
    file: str
    rows: int
    """Rows in the file."""
    inserted: int
    skipped: int
    """Rows that the table already had."""
    created: bool
    """Whether the table had to be made."""


@record
class LoadReport:
    """What became of a folder."""

    tables: tuple[TableLoad, ...]

    @property
    def inserted(self) -> int:
        """Rows written to all tables."""
        return sum(table.inserted for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self)


class _Complaints:
    """Bad rows: the first few in words, the rest as a number."""

    def __init__(self) -> None:
        self.total = 0
        self.shown: list[str] = []

    def add(self, path: Path, row: SourceRow, problem: str) -> None:
        self.total += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(f"{path.name} {row.place}: {problem}")

    def raise_if_any(self) -> None:
        if self.total:
            noun = "row" if self.total == 1 else "rows"
            more = f" (and {self.total - len(self.shown)} more)" if self.total > len(self.shown) else ""
            raise LoadError(f"{self.total} bad {noun}, nothing was loaded: {'; '.join(self.shown)}{more}")


def load_folder(
    database: Database,
    contract: Contract,
    folder: Path,
    *,
    progress: Callable[[str, int], None] | None = None,
) -> LoadReport:
    """Load `<table>.csv`, `.csv.gz` or `.parquet` of each of the contract's tables, in one transaction.

    A row that the file has n times and the table m times is inserted max(0, n − m) times. Copies inside a file are
    therefore kept, and loading the same folder again changes nothing. Tables that are missing are made with the
    contract's types. An empty field is a missing value. A text column takes every text, also an unreadable time.

    Parameters
    ----------
    progress : callable, optional
        Is told table and rows read so far.

    Raises
    ------
    LoadError
        With the file and line of up to twenty bad rows and how many there are, or the file and column that is missing
        or unknown.
    """
    formats = {contract.time.column: contract.time.formats[0]}
    with contextlib.ExitStack() as stack:
        files = {
            table.name: stack.enter_context(open_rows(find_file(folder, table.name), time_formats=formats))
            for table in contract.tables
        }
        _check_columns(files, {table.name: columns_of(contract, table) for table in contract.tables})
        try:
            return _load(database, contract, files, progress)
        except SourceError as error:  # the tables are there already, with types that the values do not fit
            raise LoadError(f"{error}; nothing was loaded") from error


def _load(
    database: Database,
    contract: Contract,
    files: Mapping[str, SourceFile],
    progress: Callable[[str, int], None] | None,
) -> LoadReport:
    complaints = _Complaints()
    with explained("load"), database.connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])  # two loads at once take turns
        staged = [
            _stage(connection, contract, table, file=files[table.name], complaints=complaints, progress=progress)
            for table in contract.tables
        ]
        complaints.raise_if_any()
        return LoadReport(tables=tuple(_merge(connection, load) for load in staged))


@record
class _Staged:
    table: str
    file: str
    columns: tuple[str, ...]
    types: dict[str, str]
    stage: sql.Identifier
    rows: int
    created: bool


def _check_columns(files: Mapping[str, SourceFile], expected: Mapping[str, tuple[str, ...]]) -> None:
    """Compare all files with their tables before anything is read, and say all that does not fit at once."""
    wrong = []
    for table, file in files.items():
        missing = [name for name in expected[table] if name not in file.columns]
        unknown = [repr(name) for name in file.columns if name not in expected[table]]
        told = [*_columns(missing, "missing"), *_columns(unknown, "not known")]
        if told:
            wrong.append(f"{file.path.name}: {', '.join(told)}; expected {', '.join(expected[table])}")
    if wrong:
        raise LoadError(". ".join(wrong))


def _columns(names: Sequence[str], what: str) -> Iterator[str]:
    if names:
        yield f"column{'s' if names[1:] else ''} {', '.join(names)} {'are' if names[1:] else 'is'} {what}"


def _stage(
    connection: psycopg.Connection[TupleRow],
    contract: Contract,
    table: Table,
    *,
    file: SourceFile,
    complaints: _Complaints,
    progress: Callable[[str, int], None] | None,
) -> _Staged:
    """Copy the good rows of a file, as text, into a temporary table whose name nobody else has."""
    created = create_table(connection, contract, table)
    types = column_types(connection, table.name, file.columns)
    name_of_stage = f"loanwatch_{uuid.uuid4().hex}"
    stage = sql.Identifier("pg_temp", name_of_stage)
    definitions = [sql.SQL("{} text").format(sql.Identifier(name)) for name in file.columns]
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(
            sql.Identifier(name_of_stage), sql.SQL(", ").join(definitions)
        )
    )
    readers = [reader_for(types[name], formats=contract.time.formats) for name in file.columns]
    rows = 0
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(stage)) as copy:
        for values in _good_rows(file, readers, frozenset(table.key), complaints):
            copy.write_row(values)
            rows += 1
            if progress and rows % _PROGRESS_ROWS == 0:
                progress(table.name, rows)
    if progress:
        progress(table.name, rows)
    return _Staged(
        table=table.name,
        file=file.path.name,
        columns=file.columns,
        types=types,
        stage=stage,
        rows=rows,
        created=created,
    )


def _good_rows(
    file: SourceFile, readers: list[Reader], keys: frozenset[str], complaints: _Complaints
) -> Iterator[list[str | None]]:
    named = list(zip(file.columns, readers, strict=True))
    for row in file.rows:
        if row.problem:
            complaints.add(file.path, row, row.problem)
            continue
        values: list[str | None] = []
        for (name, reader), text in zip(named, row.values, strict=True):
            try:
                value = None if text is None else reader(text)
            except ValueError as error:
                complaints.add(file.path, row, f"column {name}: {error}")
                break
            if name in keys and (value is None or not value.strip()):
                complaints.add(file.path, row, f"column {name} is empty, and it identifies the row")
                break
            values.append(value)
        else:
            yield values


def _merge(connection: psycopg.Connection[TupleRow], load: _Staged) -> TableLoad:
    """Insert what the table does not have yet; a difference of multisets, so copies count."""
    table = sql.Identifier(load.table)
    names = sql.SQL(", ").join(map(sql.Identifier, load.columns))
    typed = sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Identifier(name), sql.SQL(load.types[name])) for name in load.columns
    )
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(table, names, typed, load.stage)
    if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(table)).fetchone():
        statement += sql.SQL(" EXCEPT ALL SELECT {} FROM {}").format(names, table)
    inserted = connection.execute(statement).rowcount
    connection.execute(sql.SQL("ANALYZE {}").format(table))
    return TableLoad(
        table=load.table, file=load.file, rows=load.rows, inserted=inserted, skipped=load.rows - inserted,
        created=load.created,
    )  # fmt: skip
