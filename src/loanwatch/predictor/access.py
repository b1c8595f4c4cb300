"""Who may ask, and how often."""

import math
import threading
import time
from typing import Protocol

from loanwatch.database import Database
from loanwatch.predictor.tokens import Token, TokenBook, list_tokens
from loanwatch.web.problem import Problem
from loanwatch.web.rate_limit import RateLimiter

__all__ = ["OPEN_PATHS", "Doorkeeper", "Gate"]

OPEN_PATHS = frozenset({"/ping", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json"})
"""Answered without a token: they say nothing of applicants."""

_READ_AGAIN_SECONDS = 2.0
"""A token that is revoked is refused so much later at most."""


class KnowsTokens(Protocol):
    """Whoever keeps the tokens that are valid."""

    tokens: TokenBook | None


class Gate:
    """Lets requests in.

    Parameters
    ----------
    tokens : bool
        Whether a token is needed; without, everybody is let in.
    requests_per_minute : int
        For tokens without a limit of their own.
    """

    def __init__(self, *, tokens: bool, requests_per_minute: int, limiter: RateLimiter) -> None:
        self.tokens = tokens
        self.requests_per_minute = requests_per_minute
        self.limiter = limiter

    def admit(self, path: str, headers: dict[bytes, bytes], watcher: KnowsTokens) -> Token | None:
        """Return whose request it is, or None where no token is needed.

        Raises
        ------
        Problem
            401 without a valid token, 429 beyond its rate, 503 before the tokens were read.
        """
        if not self.tokens or path in OPEN_PATHS:
            return None
        if watcher.tokens is None:
            raise Problem(503, "starting", "the access tokens were not read yet", headers={"Retry-After": "2"})
        token = watcher.tokens.check(headers.get(b"authorization"))
        if token is None:
            raise Problem(
                401,
                "unauthorized",
                "a valid access token is needed: send Authorization: Bearer lw_…",
                headers={"WWW-Authenticate": 'Bearer realm="loanwatch"'},
            )
        wait = self.limiter.wait_seconds(token.id, per_minute=token.requests_per_minute or self.requests_per_minute)
        if wait > 0:
            raise Problem(
                429,
                "too_many_requests",
                f"this token may ask again in {math.ceil(wait)} s",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        return token


class Doorkeeper:
    """Says whose `Authorization` header it is, for a service that has no watcher; may be called by several threads."""

    def __init__(self, database: Database, *, requests_per_minute: int = 600) -> None:
        self.tokens: TokenBook | None = None
        self._database = database
        self._gate = Gate(tokens=True, requests_per_minute=requests_per_minute, limiter=RateLimiter())
        self._lock = threading.Lock()
        self._read_at = float("-inf")

    def __call__(self, authorization: bytes) -> str:
        """Return the token's name.

        Raises
        ------
        Problem
            401 without a valid token, 429 beyond its rate.
        DatabaseError
            If the tokens cannot be read.
        """
        with self._lock:
            if time.monotonic() - self._read_at >= _READ_AGAIN_SECONDS:
                with self._database.connect() as connection:
                    self.tokens = TokenBook(list_tokens(connection))
                self._read_at = time.monotonic()
            token = self._gate.admit("", {b"authorization": authorization}, self)
        return token.name if token else ""

    def close(self) -> None:
        """Let go of the limits."""
        self._gate.limiter.close()
