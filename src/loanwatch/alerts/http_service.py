"""The alerts' own HTTP service: who may come in, how much may be sent, and what is said when the database is away."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from loanwatch.alerts.http import alerts_router
from loanwatch.database import Database
from loanwatch.errors import DatabaseError, LoanwatchError, shorten
from loanwatch.logging import get_logger

__all__ = ["alerts_service", "start_service"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Caller = Callable[[bytes], str | None]
"""Returns whose `Authorization` header it is, or None; may ask the database."""

_MAX_BODY_BYTES = 65_536  # a note holds 2,000 characters
_MAX_AT_ONCE = 100
_OPEN_PATHS = frozenset({"/openapi.json"})
_LAST_WORDS = {"Connection": "close"}
_AWAY = "the database cannot be reached at the moment"
_LATER = {"Retry-After": "5"}

_log = get_logger(__name__)


class _RefusedError(Exception):
    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.answer = JSONResponse({"detail": detail}, status, {**_LAST_WORDS, **(headers or {})})


class _Door:
    """Lets callers in before anything that they send is read, and then reads no more than there can be to say."""

    def __init__(self, inner: App, *, caller: Caller, body_timeout_seconds: float) -> None:
        self.inner = inner
        self.caller = caller
        self.body_timeout_seconds = body_timeout_seconds

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        try:
            if scope["path"] not in _OPEN_PATHS:
                scope.setdefault("state", {})["caller"] = await self._admitted(dict(scope["headers"]))
            body = await self._body(receive)
        except _RefusedError as refused:
            await refused.answer(scope, receive, send)
            return
        await self.inner(scope, _replayed(body, receive), send)

    async def _admitted(self, headers: dict[bytes, bytes]) -> str:
        try:
            name = await asyncio.to_thread(self.caller, headers.get(b"authorization", b""))
        except (psycopg.Error, DatabaseError) as error:
            _log.warning("the database cannot be reached", reason=str(error)[:200])
            raise _RefusedError(503, _AWAY, _LATER) from error
        if name is None:
            message = "a valid access token is needed: send Authorization: Bearer lw_…"
            raise _RefusedError(401, message, {"WWW-Authenticate": 'Bearer realm="loanwatch"'})
        return name

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_timeout_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _RefusedError(400, "the client hung up before the body ended")
                    body += message.get("body", b"")
                    if len(body) > _MAX_BODY_BYTES:
                        raise _RefusedError(413, f"the body is larger than {_MAX_BODY_BYTES:,} bytes")
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as error:
            raise _RefusedError(408, f"the body did not arrive in {self.body_timeout_seconds:g} seconds") from error


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


def alerts_service(database: Database, *, caller: Caller, body_timeout_seconds: float = 10.0) -> App:
    """Return the ASGI application that answers `/alerts`, `/alert-rules` and `/alert-deliveries`.

    Parameters
    ----------
    caller : callable
        Returns whose `Authorization` header it is, which the history keeps, or None if nobody's; called in a thread.
    body_timeout_seconds : float
        How long a body may take to arrive.
    """
    application = FastAPI(title="loanwatch alerts", docs_url=None, redoc_url=None)
    application.include_router(alerts_router(database, actor=_who))
    application.add_exception_handler(psycopg.OperationalError, _away)
    application.add_exception_handler(DatabaseError, _away)
    application.add_exception_handler(RequestValidationError, _not_as_expected)
    return _Door(application, caller=caller, body_timeout_seconds=body_timeout_seconds)


def _who(request: Request) -> str:
    name: str = request.state.caller
    return name


def _away(_request: Request, error: Exception) -> JSONResponse:
    _log.warning("the database cannot be reached", reason=str(error)[:200])
    return JSONResponse({"detail": _AWAY}, 503, _LATER)


def _not_as_expected(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong without saying what was sent, which may be no text at all."""
    wrong = error.errors() if isinstance(error, RequestValidationError) else ()
    told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in wrong)
    return JSONResponse({"detail": shorten(told.encode(errors="replace").decode(), 500)}, 422)


def start_service(application: App, *, host: str, port: int) -> None:
    """Answer requests in a thread that ends with the process.

    Raises
    ------
    LoanwatchError
        If the address cannot be listened on.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise LoanwatchError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another port"
        ) from error
    config = uvicorn.Config(
        application, log_level="warning", server_header=False, limit_concurrency=_MAX_AT_ONCE, ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    # in a thread uvicorn leaves the signals to the dispatcher, with whose process it ends
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True).start()
