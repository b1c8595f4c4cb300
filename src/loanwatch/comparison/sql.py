"""Copy what a query gives into a Parquet file, batch by batch."""

import re
from pathlib import Path
from typing import Any

from loanwatch.database import Database, explained
from loanwatch.errors import SourceError, shorten

__all__ = ["copy_query"]

_NAME = r"(?:[A-Za-z_][A-Za-z0-9_$]*|\"(?:[^\"]|\"\")+\")"
_TABLE = re.compile(rf"({_NAME})(?:\.({_NAME}))?")
_MONTH_SECONDS = 365.25 / 12 * 86_400


def copy_query(database: Database, query: str, path: Path) -> None:
    """Write the rows of a table or of a SELECT to Parquet; the session may only read.

    Parameters
    ----------
    query : str
        `TABLE`, `SCHEMA.TABLE` (in quotation marks where SQL needs them), or a statement that begins with SELECT or
        WITH.

    Raises
    ------
    SourceError
        If it is neither, or the database refuses it.
    DatabaseUnavailableError
        If the database cannot be reached.
    """
    # Heavy, and without types.
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415

    with explained(f"sql:{query[:40]}"), database.adbc() as connection:
        connection.adbc_connection.set_autocommit(True)
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute(_statement(query))
            try:
                _write(cursor.fetch_record_batch(), query, path)
            except pa.ArrowException as error:  # a column of a type that Arrow has no place for, such as a record
                told = " ".join(str(error).split())
                raise SourceError(f"sql:{query[:40]} cannot be read: {shorten(told, 200)}") from error


def _write(reader: Any, query: str, path: Path) -> None:  # noqa: ANN401  (Arrow has no types)
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    _refuse_twins(reader.schema.names, query)
    schema = pa.schema([(field.name, _stored(field.type)) for field in reader.schema])
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in reader:
            columns = [_plain(column) for column in batch.columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _stored(kind: Any) -> Any:  # noqa: ANN401
    """Return the type in which Parquet keeps a column."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.float64() if pa.types.is_interval(kind) else getattr(kind, "storage_type", kind)


def _plain(column: Any) -> Any:  # noqa: ANN401
    """Return the values as they are stored; intervals, which Parquet has not, in seconds."""
    import pyarrow as pa  # noqa: PLC0415

    if not pa.types.is_interval(column.type):
        return getattr(column, "storage", column)
    spans = column.to_pylist()
    seconds = [s and s.months * _MONTH_SECONDS + s.days * 86_400 + s.nanoseconds / 1e9 for s in spans]
    return pa.array(seconds, type=pa.float64())


def _statement(query: str) -> str:
    text = query.strip().rstrip(";")
    if re.match(r"(?is)(select|with)\b.", text):
        return f"{text}\n"  # which ends a comment
    if table := _TABLE.fullmatch(text):
        parts = (part if part.startswith('"') else f'"{part}"' for part in table.groups() if part)
        return f"SELECT * FROM {'.'.join(parts)}"  # noqa: S608  (nothing but names)
    raise SourceError(f"sql:{text[:60]} is neither a table's name nor a SELECT")


def _refuse_twins(names: Any, query: str) -> None:  # noqa: ANN401
    for name in names:
        if list(names).count(name) > 1:
            raise SourceError(f"sql:{query[:40]} gives two columns called {name!r}: name one of them otherwise")
