"""One-line explanations of what a database refused: the address, the cause, and what to do. Never a password."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from loanwatch.errors import DatabaseError, DatabaseUnavailableError, LoanwatchError, SourceError, shorten

__all__ = ["connection_error", "describe_address", "explained", "statement_error"]

_LOGIN = (
    ("password authentication failed", "check user and password in DATABASE_URL, the creds file or PGPASSWORD"),
    ("no password supplied", "name the password in DATABASE_URL, the creds file or PGPASSWORD"),
    ("no pg_hba.conf entry", "the server does not let this user in from this machine: ask its administrator"),
    ("does not support SSL", "set sslmode=prefer, or turn SSL on at the server"),
    ("certificate", "check sslmode and sslrootcert"),
    ("SSL", "check sslmode and sslrootcert"),
    ("definition of service", "check PGSERVICE and the service file"),
)
_UNREACHABLE = (
    ("Connection refused", "is the server running, and are host and port right?"),
    ("could not translate host name", "check the host"),
    ("failed to resolve host", "check the host"),
    ("Name or service not known", "check the host"),
    ("timeout", "no answer in time: check host, port and firewall"),
    ("No such file or directory", "no server on this socket: name a host"),
    ("starting up", "try again in a moment"),
    ("shutting down", "try again when it is back"),
    ("too many", "all connections are taken: try again later"),
)


def describe_address(parameters: Mapping[str, Any]) -> str:
    """Return host, port, database and user of a connection for a message.

    >>> describe_address({"host": "db", "dbname": "loans", "password": "secret"})
    'host db, port 5432, database loans, user (default)'
    """
    host = parameters.get("host") or parameters.get("hostaddr") or "(local socket)"
    user = parameters.get("user") or "(default)"
    database = parameters.get("dbname") or (parameters.get("user") or "(default)")
    return f"host {host}, port {parameters.get('port') or 5432}, database {database}, user {user}"


def connection_error(error: BaseException, address: str) -> DatabaseError:
    """Return what a failed connection means, with what to do."""
    text = " ".join(str(error).split())
    reason = shorten(re.sub(r"^.*failed: (?:FATAL: )?", "", text).split(" Is the server running")[0], 300)
    if re.search(r'(database|role) "[^"]*" does not exist', text):
        return DatabaseError(f"{reason} ({address}): create it, or name another one in DATABASE_URL")
    for words, advice in _LOGIN:
        if words in text:
            return DatabaseError(f"the database does not let us in: {reason} ({address}); {advice}")
    advice = next((advice for words, advice in _UNREACHABLE if words in text), "check host, port and network")
    return DatabaseUnavailableError(f"the database cannot be reached: {reason} ({address}); {advice}")


@contextlib.contextmanager
def explained(doing: str = "") -> Iterator[None]:
    """Turn what psycopg and ADBC raise inside into one line that says the cause and what to do.

    Parameters
    ----------
    doing : str
        What was being done; opens the message.

    Raises
    ------
    SourceError
        If a source table or column is missing, may not be read, or holds a value of another type.
    DatabaseUnavailableError
        If the connection was lost or the server is out of resources.
    DatabaseError
        If the statement was refused for another reason.
    """
    try:
        yield
    except LoanwatchError:
        raise
    except Exception as error:
        state, text = _state_of(error)
        if text is None:
            raise
        raise statement_error(state, text, doing=doing) from error


def statement_error(state: str, text: str, *, doing: str = "") -> LoanwatchError:
    """Return what a refused statement means.

    Parameters
    ----------
    state : str
        SQLSTATE of five characters, or empty where the server said nothing.
    text : str
        The server's message.
    """
    reason = shorten(_primary(text), 400)
    opening = f"{doing}: " if doing else ""
    ours = "loanwatch." in reason or '"loanwatch"' in reason
    if state in ("42P01", "42703", "3F000"):
        if ours:
            return DatabaseError(f"{opening}{reason}: run `loanwatch db migrate`")
        return SourceError(f"{opening}{reason}: the database has other tables or columns, or search_path hides them")
    if state == "42501":
        verb = "ask the database's owner for the right to do this"
        return DatabaseError(f"{opening}{reason}: {verb}") if ours else SourceError(f"{opening}{reason}: {verb}")
    if state[:2] == "22" or state in ("42804", "42883"):
        return SourceError(f"{opening}{reason}")
    if state in ("53100", "53200", "53300") or state[:2] in ("08", "57") or not state:
        return DatabaseUnavailableError(f"{opening}the database gave up: {reason}")
    return DatabaseError(f"{opening}{reason}")


def _state_of(error: Exception) -> tuple[str, str | None]:
    """Return SQLSTATE and message of a driver's exception; the message is None if it is nobody's."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate or "", str(error.diag.message_primary or error)
    import adbc_driver_manager  # noqa: PLC0415  (loads a C library; most callers never need it)

    if isinstance(error, adbc_driver_manager.Error):
        return error.sqlstate or "", str(error)
    return "", None


def _primary(text: str) -> str:
    """Return the server's sentence from a driver's message, which wraps it in its own and appends hints."""
    found = re.search(r"(?:ERROR|FATAL):\s+(.*?)(?:\n|$)", text)
    return found.group(1).strip() if found else _one_line(text)


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("connection is bad: ") if lines else "no reason was given"
