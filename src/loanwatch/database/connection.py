"""The database in use: psycopg for statements, ADBC for bulk reads."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from loanwatch.database.embedded import EmbeddedServer
from loanwatch.database.explain import connection_error, describe_address
from loanwatch.errors import DatabaseError, LoanwatchError
from loanwatch.settings import Settings

__all__ = ["Database", "open_database", "sql"]

_CONNECT_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Database:
    """A database that can be reached.

    Parameters
    ----------
    conninfo : str
        libpq's connection string or URL; what it leaves out comes from libpq's variables. It may hold a password and
        is therefore not shown.
    """

    conninfo: str = field(repr=False)

    @property
    def address(self) -> str:
        """Host, port, database and user, as libpq will take them; no password."""
        return describe_address(self._parameters())

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[TupleRow]:
        """Return a new connection; as a context manager it commits on success, rolls back on error, and closes.

        Raises
        ------
        DatabaseUnavailableError
            If the server does not answer.
        DatabaseError
            If it refuses user, password, database or encryption.
        """
        try:
            connection = psycopg.connect(self._complete(), autocommit=autocommit)
        except psycopg.Error as error:
            raise connection_error(error, self.address) from error
        try:
            connection.execute("SET TIME ZONE 'UTC'")  # windows are shown and shifted in UTC, whatever the role's zone
            connection.commit()
        except psycopg.Error as error:
            connection.close()
            raise connection_error(error, self.address) from error
        return connection

    @contextlib.contextmanager
    def adbc(self) -> Iterator[Any]:
        """Give an ADBC connection (the driver has no types), whose cursors deliver Arrow; closed on leaving.

        Raises
        ------
        DatabaseUnavailableError
            If the server does not answer.
        DatabaseError
            If it refuses user, password, database or encryption.
        """
        # pyarrow is heavy and most callers never need it
        from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]  # noqa: PLC0415

        try:
            connection = dbapi.connect(self._complete())
        except dbapi.Error as error:
            raise connection_error(error, self.address) from error
        with connection:
            yield connection

    def check(self) -> None:
        """Connect once.

        Raises
        ------
        DatabaseError
            If that fails, or the server is older than PostgreSQL 14.
        """
        with self.connect() as connection:
            version = connection.info.server_version
        if version < 140_000:
            raise DatabaseError(f"PostgreSQL 14 or later is needed, got {version // 10_000} ({self.address})")

    def _complete(self) -> str:
        given = self._parameters()
        defaults: dict[str, str | int] = {"application_name": "loanwatch", "connect_timeout": _CONNECT_TIMEOUT_SECONDS}
        return make_conninfo(self.conninfo, **{k: v for k, v in defaults.items() if not given.get(k)})

    def _parameters(self) -> dict[str, Any]:
        """Return libpq's parameters: those of the conninfo, then those of the variables."""
        try:
            given = conninfo_to_dict(self.conninfo)
            options = psycopg.pq.Conninfo.get_defaults()
        except psycopg.Error as error:
            # libpq quotes the string, which may hold a password, in its message
            raise DatabaseError(
                "DATABASE_URL cannot be read: expected postgresql://user:password@host:port/database, "
                "with special characters in user and password percent-encoded"
            ) from error.with_traceback(None)
        defaults = {
            option.keyword.decode(): option.val.decode()
            for option in options
            if option.val is not None and option.envvar is not None
        }
        return {**defaults, **given}


def open_database(settings: Settings, *, must_answer: bool = True) -> Database:
    """Return the database that the settings name; without one, start the embedded server.

    Parameters
    ----------
    must_answer : bool
        Whether to connect once; a server that is named and away is no error without.

    Raises
    ------
    DatabaseError
        If it cannot be reached or used.
    """
    named = settings.external_database()
    if named is None:
        return Database(EmbeddedServer(settings.home / "postgres").start())
    database = Database(re.sub(r"^postgres(?:ql)?\+\w+://", "postgresql://", named))  # SQLAlchemy's form, as in Airflow
    if must_answer:
        database.check()
    return database


@cache
def sql(name: str) -> str:
    """Return the text of `database/sql/<name>.sql`.

    Raises
    ------
    LoanwatchError
        If there is no such file.
    """
    try:
        return (resources.files("loanwatch.database") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LoanwatchError(f"there is no statement {name!r} in database/sql") from error
