"""The source tables as the contract describes them and as the database has them."""

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from loanwatch.contract import Contract, Kind, Table
from loanwatch.errors import LoadError

__all__ = ["column_types", "columns_of", "create_table", "sql_type"]


def columns_of(contract: Contract, table: Table) -> tuple[str, ...]:
    """Return the columns of a source table: its key, and what the contract places in it."""
    own = [column.name for column in contract.columns if column.table == table.name]
    return (*(name for name in table.key if name not in own), *own)


def sql_type(contract: Contract, name: str) -> str:
    """Return the SQL type that a column is made with."""
    column = contract.column(name)
    by_kind = {Kind.NUMERIC: "double precision", Kind.TIME: "timestamp with time zone"}
    return column.stored_as or by_kind.get(column.kind, "text")


def create_table(connection: psycopg.Connection[TupleRow], contract: Contract, table: Table) -> bool:
    """Make a source table unless the search_path has it; return whether it was made."""
    if connection.execute("SELECT to_regclass(quote_ident(%s))", [table.name]).fetchone() != (None,):
        return False
    definitions = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(sql_type(contract, name)))
        for name in columns_of(contract, table)
    ]
    # A user named loanwatch has our schema at the head of the search_path; source tables do not belong there.
    first = connection.execute(
        "SELECT name::text FROM unnest(current_schemas(false)) WITH ORDINALITY AS schema (name, place) "
        "WHERE name <> 'loanwatch' ORDER BY place LIMIT 1"
    ).fetchone()
    place = sql.Identifier(first[0] if first else "public", table.name)
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join(definitions)))
    return True


def column_types(connection: psycopg.Connection[TupleRow], table: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the SQL types of a table's columns by name.

    Raises
    ------
    LoadError
        If the table has no such column.
    """
    rows = connection.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped",
        [table],
    ).fetchall()
    found: dict[str, str] = dict(rows)
    for name in columns:
        if name not in found:
            raise LoadError(f"table {table} has no column {name}; it has {', '.join(found)}")
    return {name: found[name] for name in columns}
