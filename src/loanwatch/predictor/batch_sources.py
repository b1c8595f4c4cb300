"""Applications from a file, a chunk at a time, whatever the file's size."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from loanwatch.contract import Contract
from loanwatch.errors import SourceError, shorten

__all__ = ["CHUNK_ROWS", "count_rows", "read_chunks"]

CHUNK_ROWS = 65_536
"""Rows that are worked on at once; bounds the memory."""

_CSV_BLOCK_BYTES = 8 * 2**20


def read_chunks(path: Path, contract: Contract) -> Iterator[pl.DataFrame]:
    """Yield the contract's columns of a Parquet or CSV file, in the file's order.

    The values of a CSV file are text, which `features.clean` reads; an empty one is null.

    Raises
    ------
    SourceError
        If the file is missing, is neither, cannot be read, or lacks the application's key or every predictor.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  (heavy, and without types)

    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise SourceError(f"{path} is neither .parquet nor .csv")
    try:
        yield from _parquet(path, contract) if kind == ".parquet" else _csv(path, contract)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read: {shorten(error, 300)}") from error


def count_rows(path: Path) -> int | None:
    """Return the number of rows of a Parquet file, which it tells; None for other files."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    if path.suffix.lower() != ".parquet":
        return None
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read: {shorten(error, 300)}") from error


def _parquet(path: Path, contract: Contract) -> Iterator[pl.DataFrame]:
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(path) as file:
        wanted = _wanted(file.schema_arrow.names, path, contract)
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=wanted):
            yield _frame(batch)


def _csv(path: Path, contract: Contract) -> Iterator[pl.DataFrame]:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    read = csv.ReadOptions(block_size=_CSV_BLOCK_BYTES)
    parse = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(path, read_options=read, parse_options=parse) as first_look:
        wanted = _wanted(first_look.schema.names, path, contract)
    convert = csv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    with csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as reader:
        for batch in reader:
            yield from _frame(batch).iter_slices(CHUNK_ROWS)


def _frame(batch: Any) -> pl.DataFrame:  # noqa: ANN401  (an Arrow batch)
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  (a batch is a table)
    return frame


def _wanted(names: list[str], path: Path, contract: Contract) -> list[str]:
    twice = next((name for name in contract.column_names if names.count(name) > 1), None)
    if twice is not None:
        raise SourceError(f"{path} has the column {twice} twice")
    if contract.keys.application not in names:
        raise SourceError(f"{path} has no column {contract.keys.application}; it has {shorten(', '.join(names), 200)}")
    wanted = [name for name in contract.column_names if name in names]
    if not any(contract.column(name).predictor for name in wanted):
        raise SourceError(f"{path} has none of the contract's predictors")
    return wanted
