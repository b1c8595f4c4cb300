"""Frames of polars, pandas and Arrow as one kind of table, column by column."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from loanwatch.errors import SourceError, shorten

__all__ = ["read_frame", "refuse_twins"]


def read_frame(source: Any, name: str) -> pl.LazyFrame:  # noqa: ANN401  (pandas and Arrow are optional)
    """Return a frame that a caller has in memory.

    A column whose type polars does not know is read as text.

    Raises
    ------
    SourceError
        If it is no frame, has a column name twice, or a column cannot be read; names it.
    """
    if isinstance(source, pl.LazyFrame):
        return source
    if isinstance(source, pl.DataFrame):
        return source.lazy()
    columns = getattr(source, "column_names", None)
    if columns is None:  # a record batch of Arrow has a schema, a frame of pandas its columns
        columns = getattr(getattr(source, "schema", None), "names", getattr(source, "columns", None))
    libraries = [each.__module__.partition(".")[0] for each in type(source).__mro__]  # GeoPandas has a class of its own
    read = next((_READERS[library] for library in libraries if library in _READERS), None)
    if read is None or columns is None or not hasattr(source, "columns"):
        raise SourceError(f"{name} is a {type(source).__name__}: give a path, or a frame of polars, pandas or Arrow")
    refuse_twins([str(column) for column in columns], name)
    return pl.DataFrame({str(c): read(source, c, f"{name}: column {shorten(c)}") for c in columns}).lazy()


def refuse_twins(columns: Iterable[str], name: str) -> None:
    """Raise SourceError if a name stands twice among the columns of a table."""
    for column, times in Counter(columns).items():
        if times > 1:
            called = f"called {shorten(column)!r}" if column else "without a name"
            raise SourceError(f"{name} has {times} columns {called}: rename or drop one")


def _from_arrow(source: Any, column: str, name: str) -> pl.Series:  # noqa: ANN401
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (whoever has an Arrow table has imported it)

    values = source.column(column)
    # polars knows neither these decimals nor zones that are offsets; the moments stay the same.
    if pa.types.is_decimal256(values.type):
        values = values.cast(pa.float64())
    elif pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = values.cast(pa.timestamp(values.type.unit, "UTC"))
    return _series(column, lambda: pl.Series(column, pl.from_arrow(values)), values.to_pylist, name)


def _from_pandas(source: Any, column: Any, name: str) -> pl.Series:  # noqa: ANN401
    values = source[column]

    def listed() -> list[Any]:
        return [None if unknown else value for value, unknown in zip(values, values.isna(), strict=True)]

    return _series(str(column), lambda: pl.Series(str(column), pl.from_pandas(values.rename(None))), listed, name)


def _series(column: str, convert: Callable[[], pl.Series], listed: Callable[[], list[Any]], name: str) -> pl.Series:
    try:
        converted = convert()
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001  (both libraries have their own errors)
        converted = None
    if converted is not None and not converted.dtype.is_extension():
        return converted
    try:
        return pl.Series(column, [None if value is None else _text(value) for value in listed()], dtype=pl.String)
    except Exception as error:
        raise SourceError(f"{name} cannot be read: {shorten(error, 200)}") from error


def _text(value: Any) -> str:  # noqa: ANN401
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


_READERS = {"pyarrow": _from_arrow, "pandas": _from_pandas}
