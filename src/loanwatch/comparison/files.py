"""Files as tables: Parquet in one file or in many, and CSV as people and programs write it."""

import glob
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import polars as pl

from loanwatch.comparison.csv_files import open_csv
from loanwatch.comparison.table import Table
from loanwatch.errors import SourceError, shorten

__all__ = ["open_file"]

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".tsv", ".txt")
_PACKED = (".gz", ".zst", ".zstd")
_MAGIC = b"PAR1"


def open_file(path: Path, stack: ExitStack) -> Table:
    """Return the table that a file, a folder of Parquet files or a pattern of their names holds.

    Parameters
    ----------
    path : Path
    stack : ExitStack
        Keeps temporary files until it is closed.

    Raises
    ------
    SourceError
        If it cannot be read, has a column name twice, or is nothing that holds a table; names it.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        matching = _matching(path)
        if matching:
            return _parquet(path, matching)
        reason = getattr(error, "strerror", None) or "no such file"
        raise SourceError(f"{path} cannot be opened: {reason.lower()}") from error
    if stat.S_ISDIR(mode):
        return _parquet(path, _inside(path))
    if not stat.S_ISREG(mode):
        raise SourceError(f"{path} is neither file nor folder: name a CSV or Parquet file")
    lower = path.name.lower()
    if _starts_as_parquet(path) or lower.endswith(_PARQUET):
        return _parquet(path, [path])
    if Path(lower.removesuffix(next(filter(lower.endswith, _PACKED), ""))).suffix in _CSV:
        return open_csv(path, stack)
    raise SourceError(f"{path} has no known ending: name a file that ends in .parquet, .csv, .csv.gz or .csv.zst")


def _starts_as_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {(error.strerror or str(error)).lower()}") from error


def _inside(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder and its partitions, without those that tools keep for themselves."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(_PARQUET)
        and path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise SourceError(f"{folder} is a folder without Parquet files: name a CSV or Parquet file")
    return found


def _matching(path: Path) -> list[Path]:
    if not glob.has_magic(str(path)):
        return []
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207  (from any root)
    if other := next((p for p in found if not p.name.lower().endswith(_PARQUET)), None):
        raise SourceError(f"{path} also matches {other.name}: a pattern can only name Parquet files")
    return found


def _parquet(path: Path, files: Sequence[Path]) -> Table:
    if files == [path]:
        return Table(name=path.name, lazy=pl.scan_parquet(path, hive_partitioning=False, glob=False))
    partitioned = any("=" in part for file in files for part in file.parent.parts)
    lazy = pl.scan_parquet(
        list(files),
        schema=_common_schema(files),
        cast_options=pl.ScanCastOptions(integer_cast=["upcast", "allow-float"], float_cast="upcast"),
        hive_partitioning=partitioned,
        glob=False,
    )
    return Table(name=path.name or str(path), lazy=lazy)


def _common_schema(files: Sequence[Path]) -> pl.Schema:
    """Return columns and types that fit all files: whole numbers in one and fractions in another are fractions.

    Raises
    ------
    SourceError
        If a file cannot be read or has other columns than the first; names file and column.
    """
    first, *others = files
    common = _schema_of(first)
    for file in others:
        schema = _schema_of(file)
        if other := [name for name in (*schema, *common) if (name in schema) != (name in common)]:
            has = "has" if other[0] in schema else "lacks"
            raise SourceError(f"{file} {has} the column {shorten(other[0])!r}, unlike {first.name}: give both the same")
        for name, dtype in schema.items():
            known = common[name]
            if dtype == known:
                continue
            if not (dtype.is_numeric() and known.is_numeric()) or dtype.is_decimal() or known.is_decimal():
                raise SourceError(
                    f"{file}: column {shorten(name)!r} is {shorten(dtype, 40)}, in {first.name} {shorten(known, 40)}: "
                    "give it one type"
                )
            common[name] = pl.Int64() if dtype.is_integer() and known.is_integer() else pl.Float64()
    return common


def _schema_of(file: Path) -> pl.Schema:
    try:
        return pl.Schema(pl.read_parquet_schema(file))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{file} cannot be read: {shorten(str(error).splitlines()[0], 200)}") from error
