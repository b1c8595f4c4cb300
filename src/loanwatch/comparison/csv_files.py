"""CSV files with any separator, packing, line end and the usual encodings."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import IO, TextIO, cast

import polars as pl

from loanwatch.comparison.frames import refuse_twins
from loanwatch.comparison.table import Table
from loanwatch.comparison.texts import NOT_KNOWN
from loanwatch.errors import SourceError, shorten
from loanwatch.records import record

__all__ = ["open_csv"]

_IN_MEMORY_BYTES = 64_000_000
"""A file up to this size is parsed once and kept; a larger one becomes a temporary Parquet file."""
_UNPACKED = 8
"""How much longer a packed file may be when it is unpacked."""
_SEPARATORS = ",;\t|"
_HEAD_BYTES, _LONGEST_HEADER = 1 << 16, 1 << 24
_WESTERN = "cp1252"
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_IS_BLANK = pl.all_horizontal(pl.all().is_null())


@record
class _Dialect:
    """How a file is written."""

    separator: str
    decimal_comma: bool
    line_end: str
    names: tuple[str, ...]
    """Of the columns, as the header has them."""


def open_csv(path: Path, stack: ExitStack) -> Table:
    """Return the table that a CSV file holds, also one packed with gzip or zstd.

    A file that is not UTF-8 is taken for the Western European Windows-1252, which a note of the table says.

    Parameters
    ----------
    path : Path
    stack : ExitStack
        Keeps temporary files until it is closed.

    Raises
    ------
    SourceError
        If it cannot be read or has a column name twice; names line or column.
    """
    head = _head(path)
    encoding = _encoding(head, path)
    if encoding != "utf-8":
        return _recoded(path, encoding, stack)
    dialect = _dialect(head.decode("utf-8-sig", errors="replace"))
    refuse_twins(dialect.names, path.name)
    try:
        lazy = _read(path, dialect, stack)
        blank = _blank_lines(lazy)
        if blank:
            lazy = _kept(path, lazy.filter(~_IS_BLANK), stack)
        notes = [f"{path.name}: {blank:,} line{'s' if blank > 1 else ''} without any value left out."] if blank else []
        return Table(name=path.name, lazy=lazy, notes=(*notes, *_cut_off(path, dialect)))
    except pl.exceptions.NoDataError:
        return Table(name=path.name, lazy=pl.LazyFrame())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if "invalid utf-8" in str(error) and b"\0" not in head:
            return _recoded(path, _WESTERN, stack)
        raise SourceError(_why(path, dialect, error)) from error


def _head(path: Path) -> bytes:
    """Return the beginning of the file, with the whole header."""
    try:
        with _unpacked(path) as file:
            head = file.read(_HEAD_BYTES)
            while b"\n" not in head and len(head) < _LONGEST_HEADER and (more := file.read(_HEAD_BYTES)):
                head += more
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} cannot be read: {shorten(error, 200)}") from error
    return head


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic == _ZSTD:
            import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (heavy, and seldom needed)

            yield pa.CompressedInputStream(file, "zstd")
        elif magic.startswith(_GZIP) or (magic and path.name.lower().endswith(".gz")):
            with gzip.open(file) as unpacked:
                yield cast("IO[bytes]", unpacked)
        else:
            yield file


@contextmanager
def _lines(path: Path, encoding: str) -> Iterator[TextIO]:
    with (
        _unpacked(path) as packed,
        io.TextIOWrapper(packed, encoding=encoding, errors="replace", newline="") as text,
    ):
        yield text


def _encoding(head: bytes, path: Path) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    header = head.partition(b"\n")[0]
    if b"\0" in header:
        raise SourceError(f"{path} cannot be read as CSV: its header holds NUL bytes; is it text in UTF-8?")
    try:
        header.decode()
    except UnicodeDecodeError:
        return _WESTERN
    return "utf-8"


def _recoded(path: Path, encoding: str, stack: ExitStack) -> Table:
    """Copy the file as UTF-8 and read that."""
    copy = Path(stack.enter_context(TemporaryDirectory(prefix="loanwatch-"))) / path.name
    copy = copy.with_suffix(".csv")
    try:
        with _lines(path, encoding) as text, copy.open("w", encoding="utf-8", newline="") as written:
            copyfileobj(text, written)
    except (OSError, EOFError, UnicodeError) as error:
        raise SourceError(f"{path} cannot be read: {shorten(error, 200)}") from error
    try:
        table = open_csv(copy, stack)
    except SourceError as error:
        raise SourceError(str(error).replace(str(copy), str(path)).replace(copy.name, path.name)) from error
    notes = (f"{path.name} is not UTF-8: it was read as Windows-1252.",) if encoding == _WESTERN else ()
    found = tuple(note.replace(copy.name, path.name) for note in table.notes)
    return replace(table, name=path.name, notes=(*notes, *found))


def _dialect(head: str) -> _Dialect:
    line_end = "\n" if "\n" in head or "\r" not in head else "\r"
    lines = head.lstrip("\r\n").split(line_end)
    unquoted = re.sub(r'"[^"]*"', "", lines[0])
    separator = max(_SEPARATORS, key=unquoted.count)
    rows = csv.reader(io.StringIO(head.lstrip("\r\n"), newline=""), delimiter=separator)
    try:
        names = tuple(next(rows, []))
    except csv.Error:  # a name beyond all measure, or an open quotation mark: the parser will tell
        names = ()
    body = line_end.join(lines[1:])
    number = rf"(?:^|{re.escape(separator)})\"?[+-]?[0-9]+(?:MARK)[0-9]+\"?(?={re.escape(separator)}|\r?$)"
    comma, point = (re.search(number.replace("MARK", mark), body, re.MULTILINE) for mark in (",", r"\."))
    return _Dialect(
        separator=separator,
        decimal_comma=separator != "," and comma is not None and point is None,
        line_end=line_end,
        names=names,
    )


def _read(path: Path, dialect: _Dialect, stack: ExitStack) -> pl.LazyFrame:
    def scan(inferred: int) -> pl.LazyFrame:
        return pl.scan_csv(
            path,
            separator=dialect.separator,
            decimal_comma=dialect.decimal_comma,
            eol_char=dialect.line_end,
            infer_schema_length=inferred,
            null_values=["", *NOT_KNOWN],
            glob=False,
        )

    try:
        return _kept(path, scan(10_000), stack)
    except pl.exceptions.NoDataError:
        raise
    except pl.exceptions.PolarsError:  # a type that does not hold for all rows is found late: read all as text
        return _kept(path, scan(0), stack)


def _kept(path: Path, scan: pl.LazyFrame, stack: ExitStack) -> pl.LazyFrame:
    packed = path.suffix.lower() not in (".csv", ".tsv", ".txt")
    if path.stat().st_size * (_UNPACKED if packed else 1) <= _IN_MEMORY_BYTES:
        return scan.collect().lazy()
    copy = Path(stack.enter_context(TemporaryDirectory(prefix="loanwatch-"))) / "table.parquet"
    scan.sink_parquet(copy, compression="lz4")
    return pl.scan_parquet(copy)


def _blank_lines(lazy: pl.LazyFrame) -> int:
    """Count the lines that hold nothing; of a single column they are missing values."""
    nulls = lazy.null_count().collect() if len(lazy.collect_schema()) > 1 else pl.DataFrame()
    if not nulls.width or nulls.min_horizontal().item() == 0:
        return 0
    return int(lazy.select(_IS_BLANK.sum()).collect(engine="streaming").item())


def _cut_off(path: Path, dialect: _Dialect) -> Iterator[str]:
    """Tell that the last line ends too soon: polars takes what is not there for missing."""
    with path.open("rb") as file:
        if file.read(4).startswith((_ZSTD, _GZIP)):  # packed files that are cut off cannot be unpacked
            return
        file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        tail = file.read().decode(errors="replace")
    last = tail.rpartition(dialect.line_end)[2]
    fields = last.count(dialect.separator) + 1 if last.strip() and '"' not in last else 0
    if not tail.endswith(dialect.line_end) and last != tail and 0 < fields < len(dialect.names):
        yield (
            f"{path.name}: the last line has {fields} of {len(dialect.names)} fields and no end: the file may have "
            "been cut off."
        )


def _why(path: Path, dialect: _Dialect, error: BaseException) -> str:
    """Say what is wrong with a file that the parser refused, and in which line where fields are too many."""
    if "more fields" in str(error):
        try:
            with _lines(path, "utf-8-sig") as lines:
                rows = csv.reader(lines, delimiter=dialect.separator)
                width = len(next(rows))
                long = next(row for row in rows if len(row) > width)
            return f"{path} cannot be read as CSV: line {rows.line_num} has {len(long)} fields, the header {width}"
        except (OSError, EOFError, csv.Error, StopIteration):
            pass
    told = " ".join(str(error).partition("\n\n")[0].split())
    return f"{path} cannot be read as CSV: {shorten(told, 200)}"
