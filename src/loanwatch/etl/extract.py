"""A window of applications, from the source tables to a Parquet file, with flat memory."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from loanwatch.contract import Contract, Kind
from loanwatch.database import Database, explained
from loanwatch.errors import DatabaseUnavailableError, SourceError, WindowError
from loanwatch.etl.query import bind_window
from loanwatch.etl.times import count_unreadable, time_span
from loanwatch.records import record
from loanwatch.storage import file_error

__all__ = ["Extraction", "check_source", "extract_window", "session_settings"]

_AS_THEY_ARE = {"int2", "int4", "int8", "float4", "float8", "numeric", "text", "varchar", "bpchar"}
_TIMES = {"timestamp", "timestamptz", "date"}


@record
class Extraction:
    """What one extraction wrote, and what it had to leave out."""

    path: Path
    rows: int
    columns: tuple[str, ...]
    unreadable_times: int
    """Rows of the whole source table whose time is missing or is no time; they lie in no window."""


def extract_window(
    database: Database,
    contract: Contract,
    *,
    start: datetime,
    end: datetime,
    destination: Path,
    progress: Callable[[int], None] | None = None,
) -> Extraction:
    """Write the applications of [start, end) to Parquet: the contract's columns in order, then its audit columns.

    Columns that the query gives beyond these are left out. Nothing is written to the database, and a failure leaves
    no file.

    Parameters
    ----------
    start, end : datetime
        The window; without a zone they are read as UTC.
    destination : Path
        The file to write or replace.
    progress : callable, optional
        Is told how many rows are written, after each batch.

    Raises
    ------
    WindowError
        If the window is empty, or does not begin before it ends.
    SourceError
        If a source table or column is missing or cannot be read, or the query gives too little.
    StorageError
        If the file cannot be written.
    """
    start, end = _as_utc(start), _as_utc(end)
    if start >= end:
        raise WindowError(f"the window must begin before it ends, got start {_show(start)} and end {_show(end)}")
    statement = _statement(database, contract, bind_window(contract.extract_query, start=start, end=end))
    # Counted meanwhile: the server needs a while until the first row comes.
    with ThreadPoolExecutor(max_workers=1) as beside, _replacing(destination) as draft:
        unreadable = beside.submit(count_unreadable, database, contract)
        rows = _stream(database, statement, draft, progress)
        if not rows:
            raise WindowError(_emptiness(database, contract, start, end))
    names = (*contract.column_names, *(audit.column for audit in contract.audit))
    return Extraction(path=destination, rows=rows, columns=names, unreadable_times=unreadable.result())


def check_source(database: Database, contract: Contract) -> str:
    """Return, in a sentence, which times the source holds, once its tables and columns are found to be there.

    Raises
    ------
    SourceError
        If a source table or column is missing or cannot be read, or the query gives too little.
    """
    start = datetime(2000, 1, 1, tzinfo=UTC)  # any window: the query is described and not run
    _statement(database, contract, bind_window(contract.extract_query, start=start, end=start))
    return _held(database, contract)


def session_settings() -> tuple[str, ...]:
    """Return the statements that prepare a session for an extraction."""
    return (
        "SET default_transaction_read_only = on",  # whatever a contract's query says
        "SET timezone = 'UTC'",
        "SET datestyle = 'ISO'",  # a timestamp's text is taken apart by position
        "SET work_mem = '128MB'",  # a million customers as a hash table, not as temporary files
        "SET jit = off",
        # Nobody can estimate how many texts are times of a window. A hash join survives a wrong guess, these do not.
        "SET enable_nestloop = off",
        "SET enable_mergejoin = off",
    )


def _statement(database: Database, contract: Contract, query: str) -> str:
    """Return the query narrowed to the contract's columns, each as a type that Arrow and Parquet know."""
    with explained("extraction"), database.connect() as connection:
        for setting in session_settings():
            connection.execute(setting.encode())
        described = connection.execute(_narrowed(sql.SQL("*"), query, limit=0))
        found = {
            column.name: getattr(connection.adapters.types.get(column.type_code), "name", "")
            for column in described.description or ()
        }
        wanted = [*contract.column_names, *(audit.column for audit in contract.audit)]
        for name in wanted:
            if name not in found:
                raise SourceError(
                    f"the query {contract.extract_sql} of contract {contract.name} gives no column {name}; "
                    f"it gives {', '.join(found) or 'none'}"
                )
        times = {column.name for column in contract.columns if column.kind is Kind.TIME}
        columns = [_selected(name, found[name], is_time=name in times) for name in wanted]
        return _narrowed(sql.SQL(", ").join(columns), query).as_string(connection)


def _narrowed(columns: sql.Composable, query: str, *, limit: int | None = None) -> sql.Composed:
    inner = sql.SQL(query)  # the contract's own text, ends of the window put in
    rows = sql.SQL("") if limit is None else sql.SQL(" LIMIT {}").format(limit)
    return sql.SQL("SELECT {} FROM (\n{}\n) AS extraction{}").format(columns, inner, rows)


def _selected(name: str, type_name: str, *, is_time: bool) -> sql.Composable:
    identifier = sql.Identifier(name)
    if type_name in _AS_THEY_ARE or (is_time and type_name in _TIMES):
        return identifier
    return sql.SQL("{}::text AS {}").format(identifier, identifier)


def _stream(database: Database, statement: str, path: Path, progress: Callable[[int], None] | None) -> int:
    # Heavy, and without types.
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    rows = 0
    with explained("extraction"), database.adbc() as connection:
        connection.adbc_connection.set_autocommit(True)
        with connection.cursor() as cursor:
            for setting in session_settings():
                cursor.execute(setting)
            try:
                cursor.execute(statement)
                reader = cursor.fetch_record_batch()
                with pq.ParquetWriter(path, _plain_schema(reader.schema), compression="lz4") as writer:
                    for batch in reader:
                        writer.write_batch(_plain_batch(batch))
                        rows += batch.num_rows
                        if progress:
                            progress(rows)
            except pa.ArrowException as error:
                raise DatabaseUnavailableError(f"extraction: the database gave up: {error}") from error
    return rows


def _plain_schema(schema: Any) -> Any:  # noqa: ANN401  (pyarrow has no types)
    """Return the schema with the text that the driver wraps a numeric in, rather than the wrapper."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.schema([(f.name, getattr(f.type, "storage_type", f.type)) for f in schema])


def _plain_batch(batch: Any) -> Any:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    columns = [getattr(column, "storage", column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=_plain_schema(batch.schema))


@contextlib.contextmanager
def _replacing(destination: Path) -> Iterator[Path]:
    """Give a path beside the destination that takes its place on success and is gone otherwise."""
    draft = destination.with_name(f".{destination.name}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(destination)
    except OSError as error:
        raise file_error(error, destination, verb="written") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _emptiness(database: Database, contract: Contract, start: datetime, end: datetime) -> str:
    return f"there are no applications from {_show(start)} up to {_show(end)}: {_held(database, contract)}"


def _held(database: Database, contract: Contract) -> str:
    span = time_span(database, contract)
    table = contract.column(contract.time.column).table
    if span is None:
        return f"{table} holds no readable {contract.time.column}"
    return f"{table} holds {contract.time.column} from {span.first} to {span.last}"


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _show(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
