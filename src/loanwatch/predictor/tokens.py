"""Access tokens: made, listed and revoked in the database; checked in memory.

A token reads `lw_<number>_<secret>`. The secret is 32 random bytes, so one round of SHA-256 keeps it safe, and only
that is stored. The number finds the row, so that one comparison, which takes the same time whatever is wrong, decides.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from loanwatch.database import sql
from loanwatch.errors import LoanwatchError
from loanwatch.records import record

__all__ = ["Token", "TokenBook", "issue_token", "list_tokens", "revoke_token"]

CHANNEL = "loanwatch_token"
"""Notified when a token is made or revoked."""

_PATTERN = re.compile(rb"[Bb]earer +lw_([0-9]{1,18})_([A-Za-z0-9_-]{43})")
_NOBODY = bytes(32)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}")


@record
class Token:
    """A row of `api_token`."""

    id: int
    name: str
    token_hash: bytes = field(repr=False)
    requests_per_minute: int | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


class TokenBook:
    """The valid tokens, as they were when they were last read."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens: Mapping[int, Token] = {token.id: token for token in tokens}

    def check(self, authorization: bytes | None) -> Token | None:
        """Return the token of an `Authorization` header, or None if it is not valid."""
        match = _PATTERN.fullmatch(authorization or b"")
        token = self._tokens.get(int(match[1])) if match else None
        digest = _hash(match[2]) if match else _NOBODY
        same = hmac.compare_digest(digest, token.token_hash if token else hashlib.sha256(b"").digest())
        return token if same else None


def issue_token(
    connection: Connection[Any], *, name: str, created_by: str, requests_per_minute: int | None = None
) -> str:
    """Make a token in the caller's transaction and return its text, which cannot be had again.

    Raises
    ------
    LoanwatchError
        If the name will not do, or a valid token has it.
    """
    if _NAME.fullmatch(name) is None:
        raise LoanwatchError(f"{name[:80]!r} is no name for a token: 1 to 63 letters, digits, spaces and . _ @ -")
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    values = {
        "name": name,
        "token_hash": _hash(secret),
        "requests_per_minute": requests_per_minute,
        "created_by": created_by,
    }
    with connection.cursor(row_factory=scalar_row) as cursor:
        number = cursor.execute(sql("token_insert"), values).fetchone()
    if number is None:
        raise LoanwatchError(f"there is a valid token named {name} already: revoke it first, or choose another name")
    connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return f"lw_{number}_{secret.decode()}"


def revoke_token(connection: Connection[Any], *, name: str) -> None:
    """End a token's validity in the caller's transaction; services notice within two seconds of its commit.

    Raises
    ------
    LoanwatchError
        If no valid token has this name.
    """
    if connection.execute(sql("token_revoke"), {"name": name}).fetchone() is None:
        raise LoanwatchError(f"no valid token is named {name}: `loanwatch tokens list` shows them")
    connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def list_tokens(connection: Connection[Any], *, valid_only: bool = True) -> list[Token]:
    """Return tokens, oldest first."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(sql("token_select"), {"valid": valid_only}).fetchall()


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
