"""Where the decisions of a batch go: a Parquet or CSV file, or the table `prediction`; all of them or none."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from psycopg import Copy

from loanwatch.database import Database, explained, sql
from loanwatch.errors import StorageError
from loanwatch.registry import ModelVersion

__all__ = ["Sink", "file_sink", "table_sink"]


class Sink(Protocol):
    """Takes decisions, a chunk at a time."""

    def write(self, decisions: pl.DataFrame, inputs: pl.DataFrame) -> None:
        """Take decisions and the applications they were made on, row by row the same."""
        ...


@contextlib.contextmanager
def file_sink(path: Path) -> Iterator[Sink]:
    """Write to a file, which appears, or is replaced, when all is written.

    Raises
    ------
    StorageError
        If it cannot be written, or its name ends neither in .parquet nor in .csv.
    """
    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise StorageError(f"{path}: the file to write must end in .parquet or .csv")
    draft = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_ParquetSink(draft) if kind == ".parquet" else _CsvSink(draft)) as sink:
            yield sink
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


class _ParquetSink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, decisions: pl.DataFrame, inputs: pl.DataFrame) -> None:  # noqa: ARG002  (files hold the decisions)
        import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

        table = decisions.to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _CsvSink:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._is_first = True

    def write(self, decisions: pl.DataFrame, inputs: pl.DataFrame) -> None:  # noqa: ARG002
        decisions.write_csv(self._file, include_header=self._is_first)
        self._is_first = False

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def table_sink(database: Database, version: ModelVersion, *, contract: str, batch_id: str) -> Iterator[Sink]:
    """Write to the table `prediction`, in one transaction.

    Raises
    ------
    DatabaseError
        If that fails; nothing is written then.
    """
    moment = datetime.now(UTC)
    with explained("predictions"), database.connect() as connection:
        connection.execute(sql("prediction_partition"), {"moment": moment})
        with connection.cursor().copy(sql("prediction_copy").encode()) as copy:
            yield _TableSink(copy, version, contract=contract, batch_id=batch_id, moment=moment)


class _TableSink:
    def __init__(
        self,
        copy: Copy,
        version: ModelVersion,
        *,
        contract: str,
        batch_id: str,
        moment: datetime,
    ) -> None:
        self._copy = copy
        self._same = {
            "decided_at": moment.isoformat(),
            "contract": contract,
            "model_id": version.id,
            "model_name": version.name,
            "model_version": version.version,
            "source": "batch",
            "request_id": batch_id,
        }

    def write(self, decisions: pl.DataFrame, inputs: pl.DataFrame) -> None:
        key = decisions.columns[0]
        rows = decisions.select(
            *(pl.lit(value).alias(name) for name, value in self._same.items()),
            pl.col(key).alias("application_id"),
            "prediction",
            "probability",
            inputs.select(pl.struct(pl.all()).struct.json_encode()).to_series().alias("inputs"),
            _reasons_json(decisions).alias("reasons"),
        )
        self._copy.write(rows.write_csv(include_header=False, quote_style="necessary"))


def _reasons_json(decisions: pl.DataFrame) -> pl.Series:
    numbers = [n for n in range(1, 10) if f"reason_{n}_code" in decisions.columns]
    if not numbers:
        return pl.Series(["[]"]).new_from_index(0, decisions.height)
    told = [
        json.dumps(
            [
                {"code": row[f"reason_{n}_code"], "sentence": row[f"reason_{n}"]}
                for n in numbers
                if row[f"reason_{n}_code"] is not None
            ],
            ensure_ascii=False,
        )
        for row in decisions.iter_rows(named=True)
    ]
    return pl.Series(told)
