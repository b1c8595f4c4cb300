"""Copy what a query gives into a Parquet file, batch by batch."""

import re
from pathlib import Path
from typing import Any

from loanwatch.database import Database, explained
from loanwatch.errors import SourceError

__all__ = ["copy_query"]

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")


def copy_query(database: Database, query: str, path: Path) -> None:
    """Write the rows of a table or of a SELECT to Parquet; the session may only read.

    Parameters
    ----------
    query : str
        `TABLE`, `SCHEMA.TABLE`, or a statement that begins with SELECT or WITH.

    Raises
    ------
    SourceError
        If it is neither, or the database refuses it.
    DatabaseUnavailableError
        If the database cannot be reached.
    """
    # Heavy, and without types.
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    with explained(f"sql:{query[:40]}"), database.adbc() as connection:
        connection.adbc_connection.set_autocommit(True)
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute(_statement(query))
            reader = cursor.fetch_record_batch()
            schema = pa.schema([(f.name, getattr(f.type, "storage_type", f.type)) for f in reader.schema])
            _refuse_twins(schema.names, query)
            with pq.ParquetWriter(path, schema, compression="lz4") as writer:
                for batch in reader:
                    columns = [getattr(column, "storage", column) for column in batch.columns]
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _statement(query: str) -> str:
    text = query.strip().rstrip(";")
    if _TABLE.fullmatch(text):
        return "SELECT * FROM " + ".".join(f'"{part}"' for part in text.split("."))  # noqa: S608  (checked above)
    if re.match(r"(?is)\s*(select|with)\b", text):
        return text
    raise SourceError(f"sql:{text[:60]} is neither a table's name nor a SELECT")


def _refuse_twins(names: Any, query: str) -> None:  # noqa: ANN401
    for name in names:
        if list(names).count(name) > 1:
            raise SourceError(f"sql:{query[:40]} gives two columns called {name!r}: name one of them otherwise")
