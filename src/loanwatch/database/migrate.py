"""Bring the schema `loanwatch` up to date with numbered SQL files, each applied once and in a transaction."""

import re
from hashlib import sha256
from importlib import resources

import psycopg
from psycopg.rows import TupleRow

from loanwatch.database.connection import Database, sql
from loanwatch.database.explain import explained
from loanwatch.errors import DatabaseError
from loanwatch.records import record

__all__ = ["Migration", "migrate", "migrations", "pending"]

_LOCK = 0x6C6F616E  # "loan": the advisory lock of whoever migrates


@record
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    """File name without `.sql`."""
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text in hexadecimal, blind to how its lines end."""
        return sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order.

    >>> migrations()[0].name
    '0001_monitoring'
    """
    found = []
    for file in resources.files("loanwatch.database").joinpath("migrations").iterdir():
        if match := re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(number=int(match.group(1)), name=file.name.removesuffix(".sql"), text=text))
    return tuple(sorted(found, key=lambda migration: migration.number))


def pending(database: Database) -> tuple[str, ...]:
    """Return the names of the migrations that the database still lacks.

    Raises
    ------
    DatabaseError
        If an applied migration differs from ours, or the database was migrated by a later release.
    """
    with explained("migrations"), database.connect() as connection:
        return tuple(m.name for m in _missing(connection, migrations()))


def migrate(database: Database, *, up_to: int | None = None) -> tuple[str, ...]:
    """Apply what the database lacks and return the names of what was applied; safe to call from many processes.

    Parameters
    ----------
    up_to : int, optional
        The last migration to apply; by default all of them.

    Raises
    ------
    DatabaseError
        If a migration fails (it leaves nothing behind; those before it stay), an applied one differs from ours, or
        the database was migrated by a later release.
    """
    with explained("migrations"), database.connect(autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])  # ends with the connection
        if not _has_table(connection):  # asked first: an up-to-date database takes no right to create
            with connection.transaction():
                connection.execute(sql("create_migration_table").encode())
        wanted = [m for m in _missing(connection, migrations()) if up_to is None or m.number <= up_to]
        for migration in wanted:
            _apply(connection, migration)
    return tuple(m.name for m in wanted)


def _apply(connection: psycopg.Connection[TupleRow], migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())
            connection.execute(sql("insert_migration").encode(), [migration.number, migration.name, migration.checksum])
    except psycopg.Error as error:
        raise DatabaseError(f"migration {migration.name} failed: {error.diag.message_primary or error}") from error


def _has_table(connection: psycopg.Connection[TupleRow]) -> bool:
    return connection.execute("SELECT to_regclass('loanwatch.migration') IS NOT NULL").fetchone() == (True,)


def _missing(connection: psycopg.Connection[TupleRow], known: tuple[Migration, ...]) -> list[Migration]:
    if not _has_table(connection):
        return list(known)
    rows = connection.execute("SELECT number, name, checksum FROM loanwatch.migration ORDER BY number").fetchall()
    applied = {number: (name, checksum) for number, name, checksum in rows}
    for migration in known:
        if migration.number in applied and applied[migration.number] != (migration.name, migration.checksum):
            raise DatabaseError(
                f"migration {migration.name} was changed after it had been applied: install the release that applied "
                "it, or restore its file; a change of the schema needs a new migration"
            )
    if strangers := sorted(applied.keys() - {m.number for m in known}):
        raise DatabaseError(
            f"the database has migration {applied[strangers[0]][0]}, which this release does not know: "
            "install the release that applied it"
        )
    return [m for m in known if m.number not in applied]
