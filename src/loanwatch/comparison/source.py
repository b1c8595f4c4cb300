"""From what the caller has - a frame, a file, a query - to a table."""

import gzip
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from loanwatch.comparison.table import Table
from loanwatch.errors import SourceError, shorten

__all__ = ["Source", "open_table"]

if TYPE_CHECKING:
    from loanwatch.database import Database

_Converted = TypeVar("_Converted")

Source = Any
"""A path, `sql:…`, or a frame of polars, pandas or Arrow."""

_SQL = "sql:"
_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
_IN_MEMORY_BYTES = 64_000_000
"""A CSV file up to this size is parsed once and kept; a larger one becomes a temporary Parquet file."""
_NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]


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
        if database is None:
            raise SourceError(f"{shorten(source)}: no database is given to read it from")
        from loanwatch.comparison.sql import copy_query  # noqa: PLC0415  (the drivers are heavy)

        path = Path(stack.enter_context(TemporaryDirectory(prefix="loanwatch-"))) / "query.parquet"
        copy_query(database, source.removeprefix(_SQL), path)
        return Table(name=shorten(source, 60), lazy=pl.scan_parquet(path))
    if isinstance(source, str | Path):
        return _file(Path(source), stack)
    return Table(name=name, lazy=_frame(source, name))


def _frame(source: Source, name: str) -> pl.LazyFrame:
    if isinstance(source, pl.LazyFrame):
        return source
    if isinstance(source, pl.DataFrame):
        return source.lazy()
    columns = getattr(source, "column_names", None) or getattr(source, "columns", None)
    kind = type(source).__module__.partition(".")[0]
    if kind == "pyarrow" and columns is not None:
        _refuse_twins([str(c) for c in columns], name)
        return _converted(lambda: pl.DataFrame(pl.from_arrow(source)), name).lazy()
    if kind == "pandas" and columns is not None:
        _refuse_twins([str(c) for c in columns], name)
        return pl.DataFrame([_series(str(c), source[c], name) for c in columns]).lazy()
    raise SourceError(f"{name} is a {type(source).__name__}: give a path, or a frame of polars, pandas or Arrow")


def _series(column: str, values: Any, name: str) -> pl.Series:  # noqa: ANN401  (a pandas Series; pandas is optional)
    """Convert one column; what has no common type becomes text."""
    try:
        return pl.Series(column, pl.from_pandas(values.rename(None)))
    except Exception:  # noqa: BLE001  (polars and pyarrow each have their own errors for mixed types)
        texts = [None if value is None or value != value else str(value) for value in values]  # noqa: PLR0124
        return _converted(lambda: pl.Series(column, texts, dtype=pl.String), f"{name}: column {column}")


def _converted(convert: Callable[[], _Converted], name: str) -> _Converted:
    try:
        return convert()
    except Exception as error:
        raise SourceError(f"{name} cannot be read as a table: {shorten(error, 200)}") from error


def _file(path: Path, stack: ExitStack) -> Table:
    lower = path.name.lower()
    if not path.is_file():
        raise SourceError(f"{path} is {'a folder' if path.is_dir() else 'not there'}: name a CSV or Parquet file")
    if lower.endswith(_PARQUET):
        return Table(name=path.name, lazy=pl.scan_parquet(path))
    if lower.endswith(_CSV):
        return Table(name=path.name, lazy=_csv(path, stack))
    raise SourceError(f"{path} has no known ending: name a file that ends in .parquet, .csv or .csv.gz")


def _csv(path: Path, stack: ExitStack) -> pl.LazyFrame:
    separator = _separator(path)
    for inferred in (10_000, 0):  # 0 reads every column as text: a type that does not hold for all rows is found late
        scan = pl.scan_csv(path, separator=separator, infer_schema_length=inferred, null_values=_NULLS)
        try:
            if path.stat().st_size <= _IN_MEMORY_BYTES:
                return scan.collect().lazy()
            copy = Path(stack.enter_context(TemporaryDirectory(prefix="loanwatch-"))) / "table.parquet"
            scan.sink_parquet(copy, compression="lz4")
            return pl.scan_parquet(copy)
        except pl.exceptions.NoDataError:
            return pl.LazyFrame()
        except (pl.exceptions.PolarsError, OSError) as error:
            if inferred == 0:
                first_line = (str(error).strip().splitlines() or [""])[0]
                raise SourceError(f"{path} cannot be read as CSV: {shorten(first_line, 200)}") from error
    raise AssertionError


def _separator(path: Path) -> str:
    """Guess the separator from the header, and refuse a column name that stands there twice."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", errors="replace") as lines:
            header = lines.readline(1_000_000).rstrip("\r\n")
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} cannot be read: {shorten(error, 200)}") from error
    separator = max(",;\t|", key=header.count)
    if '"' not in header:
        _refuse_twins([name.strip() for name in header.split(separator)], path.name)
    return separator


def _refuse_twins(columns: Iterable[str], name: str) -> None:
    for column, times in Counter(columns).items():
        if times > 1:
            raise SourceError(f"{name} has {times} columns called {shorten(column)!r}: rename or drop one")
