"""Write simulated applications into the source tables."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
from psycopg import Connection, sql

from loanwatch.contract import Contract, default_contract
from loanwatch.database import Database, explained
from loanwatch.errors import LoadError
from loanwatch.etl import columns_of, create_table
from loanwatch.records import record
from loanwatch.simulator.simulation import Simulation

__all__ = ["write"]


def write(
    database: Database,
    simulation: Simulation | Iterable[Simulation],
    *,
    replace: bool = False,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write applications into loan_details, customer_details and credit_details, all or nothing.

    Tables that do not exist are created. Pieces are written while the next one is made, so that memory does not grow
    with the number of applications.

    Parameters
    ----------
    database : Database
        Where the source tables are, or shall be.
    simulation : Simulation or iterable of Simulation
        What `simulate` or `simulate_chunks` returned.
    replace : bool
        Empty the tables first. By default the applications are added to what is there.
    progress : callable, optional
        Called with the number of applications written so far.

    Returns
    -------
    dict of str to int
        Table → rows written.

    Raises
    ------
    LoadError
        If these applications are in the tables already.
    SourceError
        If a table exists with other columns.
    DatabaseError
        If the database refuses.
    """
    chunks = (simulation,) if isinstance(simulation, Simulation) else simulation
    contract = default_contract()
    columns = {table.name: columns_of(contract, table) for table in contract.tables}
    written, applications = dict.fromkeys(columns, 0), 0
    with database.connect() as connection, explained("simulate"):
        _prepare(connection, contract, replace=replace)
        for number, chunk in enumerate(_ahead(_encoded(chunks))):
            if number == 0 and not replace:
                _refuse_a_repetition(connection, chunk.first_loan)
            for table, rows in chunk.csv.items():
                _copy(connection, table, columns[table], rows)
                written[table] += chunk.rows[table]
            applications += chunk.applications
            if progress:
                progress(applications)
        for table in columns:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return written


@record
class _Encoded:
    csv: dict[str, io.BytesIO]
    rows: dict[str, int]
    applications: int
    first_loan: str | None


def _encoded(chunks: Iterable[Simulation]) -> Iterator[_Encoded]:
    for chunk in chunks:
        yield _Encoded(
            csv={name: _csv(frame) for name, frame in chunk.tables.items()},
            rows={name: frame.height for name, frame in chunk.tables.items()},
            applications=chunk.truth.height,
            first_loan=next(iter(chunk.tables["loan_details"]["loan_id"]), None),
        )


def _csv(frame: pl.DataFrame) -> io.BytesIO:
    file = io.BytesIO()
    frame.write_csv(file, include_header=False)
    return file


def _ahead(chunks: Iterator[_Encoded]) -> Iterator[_Encoded]:
    """Yield the chunks, each made in another thread while the one before is being written."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        upcoming = worker.submit(next, chunks, None)
        while (chunk := upcoming.result()) is not None:
            upcoming = worker.submit(next, chunks, None)
            yield chunk


def _prepare(connection: Connection[Any], contract: Contract, *, replace: bool) -> None:
    for table in contract.tables:
        create_table(connection, contract, table)
    if replace:
        names = sql.SQL(", ").join(sql.Identifier(table.name) for table in contract.tables)
        connection.execute(sql.SQL("TRUNCATE {}").format(names))


def _refuse_a_repetition(connection: Connection[Any], loan_id: str | None) -> None:
    found = connection.execute("SELECT EXISTS (SELECT FROM loan_details WHERE loan_id = %s)", [loan_id]).fetchone()
    if found and found[0]:
        raise LoadError(
            f"simulate: application {loan_id} is in loan_details already: its seed and start were simulated before; "
            "take another seed, or replace what is there"
        )


def _copy(connection: Connection[Any], table: str, columns: tuple[str, ...], rows: io.BytesIO) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(rows.getbuffer())
