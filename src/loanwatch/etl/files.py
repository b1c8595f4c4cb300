"""Rows of CSV and Parquet files as text, one at a time, each with where it stands in its file."""

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from loanwatch.errors import LoadError, shorten
from loanwatch.records import record

if TYPE_CHECKING:
    import _csv

__all__ = ["SourceFile", "SourceRow", "find_file", "open_rows"]

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_BATCH_ROWS = 20_000
_LARGEST_FIELD = 2**30  # PostgreSQL takes no longer text


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: its place (`line 7`, `row 7`), and its texts in the file's order or what is wrong with it."""

    place: str
    values: Sequence[str | None] = ()
    problem: str = ""


@record
class SourceFile:
    """An opened file: its columns, and its rows to be read once."""

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[SourceRow]


def find_file(folder: Path, table: str) -> Path:
    """Return the one file in a folder that holds a table.

    Raises
    ------
    LoadError
        If there is none, or more than one.
    """
    if not folder.is_dir():
        raise LoadError(f"{folder} is not a folder")
    found = [path for ending in _ENDINGS if (path := folder / f"{table}{ending}").is_file()]
    if not found:
        raise LoadError(
            f"{folder} has no file for table {table}: expected {table}.csv, {table}.csv.gz or {table}.parquet"
        )
    if len(found) > 1:
        raise LoadError(f"{folder} has {' and '.join(path.name for path in found)}: leave one of them")
    return found[0]


@contextlib.contextmanager
def open_rows(path: Path, *, time_formats: dict[str, str]) -> Iterator[SourceFile]:
    """Open a CSV or Parquet file; closed on leaving.

    Parameters
    ----------
    time_formats : dict
        Column name → strptime format in which dates and timestamps of a Parquet file are written as text.

    Raises
    ------
    LoadError
        If the file cannot be read, has no header, or names a column twice.
    """
    with contextlib.ExitStack() as stack:
        try:
            opened = _open_parquet(path, time_formats) if path.suffix == ".parquet" else _open_csv(path, stack)
        except (OSError, EOFError, zlib.error) as error:
            raise LoadError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if twice := {name for name in opened.columns if opened.columns.count(name) > 1}:
            raise LoadError(f"{path.name}: column {min(twice)} is there twice")
        yield opened


def _open_csv(path: Path, stack: contextlib.ExitStack) -> SourceFile:
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115  (the stack closes it)
    raw: Any = stack.enter_context(opened)
    # A byte that is not UTF-8 becomes a lone surrogate, which is found and named row by row.
    text = stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline=""))
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise LoadError(f"{path.name} line 1: {error}") from error
    if not header or header == [""]:
        raise LoadError(f"{path.name} is empty: expected a line with the names of the columns")
    columns = tuple(name.strip().lower() for name in header)
    return SourceFile(path=path, columns=columns, rows=_csv_rows(path, reader, len(columns)))


def _csv_rows(path: Path, reader: "_csv.Reader", width: int) -> Iterator[SourceRow]:
    line = reader.line_num + 1
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield SourceRow(f"line {line}", problem=f"{error}; what follows was not read")
            return
        except (OSError, EOFError, zlib.error) as error:
            raise LoadError(f"{path} cannot be read after line {line}: {error}") from error
        if values is None:
            return
        place, line = f"line {line}", reader.line_num + 1
        if not values:
            continue  # an empty line
        if len(values) != width:
            yield SourceRow(place, problem=f"{len(values)} fields, expected {width}")
        else:
            yield SourceRow(place, [value or None for value in values])


def _open_parquet(path: Path, time_formats: dict[str, str]) -> SourceFile:
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (heavy)
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise LoadError(f"{path} is not a Parquet file: {shorten(error, 200)}") from error

    def rows() -> Iterator[SourceRow]:
        number = 1
        try:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                frame = pl.DataFrame(pl.from_arrow(batch))
                for values in frame.select(_as_text(frame, path, time_formats)).iter_rows():
                    yield SourceRow(f"row {number}", values)
                    number += 1
        except (pa.ArrowException, OSError) as error:
            raise LoadError(f"{path} cannot be read after row {number - 1}: {shorten(error, 200)}") from error

    return SourceFile(path=path, columns=tuple(name.lower() for name in file.schema_arrow.names), rows=rows())


def _as_text(frame: pl.DataFrame, path: Path, time_formats: dict[str, str]) -> list[pl.Expr]:
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            raise LoadError(f"{path.name}: column {name} has type {dtype}, which is neither text, number nor time")
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        if dtype.is_temporal():
            form = time_formats.get(name.lower(), "%Y-%m-%d %H:%M:%S")
            column = column.cast(pl.Datetime("us")).dt.strftime(form) if dtype != pl.Time else column.cast(pl.String)
        else:
            column = column.cast(pl.String)
        columns.append(column)
    return columns
