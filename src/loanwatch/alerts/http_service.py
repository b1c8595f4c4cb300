"""The alerts' own HTTP service: who may come in, how much may be sent, and what is said when the database is away."""

import asyncio
import re
import threading
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI, Request, Response

from loanwatch.alerts.http import alerts_router
from loanwatch.alerts.page import Caller, page_router
from loanwatch.database import Database
from loanwatch.errors import DatabaseError, shorten
from loanwatch.logging import get_logger
from loanwatch.web.body import BodyLimits, BodyRoom, receive_body
from loanwatch.web.handlers import add_problem_handlers, problem_response
from loanwatch.web.listening import listen
from loanwatch.web.problem import INTERNAL_ERROR, Problem, away, busy
from loanwatch.web.protocol import protocol_class
from loanwatch.web.responses import secured, send_json

__all__ = ["alerts_service", "start_service"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

_MAX_BODY_BYTES = 65_536  # a note holds 2,000 characters
_MAX_AT_ONCE = 100
_MAX_CONNECTIONS = 1_000
_OPEN_PATHS = frozenset({"/openapi.json"})
_ALERT = re.compile(r"/alerts/[0-9]{1,19}")
_PAGE = "/page"
_FOREIGN = (b"cross-site", b"same-site")

_log = get_logger(__name__)


class _Door:
    """Lets callers in before anything that they send is read, and then reads no more than there can be to say."""

    def __init__(self, inner: App, *, caller: Caller, body_timeout_seconds: float) -> None:
        self.inner = inner
        self.caller = caller
        self.limits = BodyLimits(max_bytes=_MAX_BODY_BYTES, timeout_seconds=body_timeout_seconds)
        self.room = BodyRoom(_MAX_AT_ONCE * _MAX_BODY_BYTES)
        self._at_once = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun, message = True, secured(message, request_id)
            await send(message)

        self._at_once += 1
        try:
            await self._answer(scope, receive, sending, request_id)
        except Problem as problem:
            last = {"Connection": "close", **problem.headers}  # a body that was not read may be on its way
            await send_json(send, problem.status, problem.body(request_id), request_id, headers=last)
        except Exception:  # noqa: BLE001  (the client gets an answer, and the log the cause)
            _log.exception("internal error", request_id=request_id, path=shorten(scope["path"], 200))
            if not begun:
                await send_json(send, 500, INTERNAL_ERROR.body(request_id), request_id)
        finally:
            self._at_once -= 1

    async def _answer(self, scope: Message, receive: Receive, send: Send, request_id: str) -> None:
        if self._at_once > _MAX_AT_ONCE:
            raise busy()
        headers: Headers = dict(scope["headers"])
        if scope["method"] == "POST" and headers.get(b"sec-fetch-site") in _FOREIGN:
            # a proxy may add a token to whatever a browser sends
            raise Problem(403, "forbidden", "another site's page may not change an alert")
        scope = _to_page(scope, headers)
        is_page = scope["path"].endswith(_PAGE)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["caller"] = None
        if scope["path"] not in _OPEN_PATHS and not (is_page and b"authorization" not in headers):
            state["caller"] = await self._admitted(headers)
        body = await receive_body(headers, receive, self.limits, self.room)
        await self.inner(scope, _replayed(body, receive), send)

    async def _admitted(self, headers: Headers) -> str:
        try:
            return await asyncio.to_thread(self.caller, headers.get(b"authorization", b""))
        except (psycopg.Error, DatabaseError) as error:
            _log.warning("the database cannot be reached", reason=str(error)[:200])
            raise away() from error


def _to_page(scope: Message, headers: Headers) -> Message:
    """Lead a browser that asks for an alert, and the form that it then sends, to the page; programs get the alert."""
    from_browser = scope["method"] == "POST" or b"text/html" in headers.get(b"accept", b"")
    if not from_browser or _ALERT.fullmatch(scope["path"]) is None:
        return scope
    path = scope["path"] + _PAGE
    return {**scope, "path": path, "raw_path": path.encode()}


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
        Returns whose `Authorization` header it is, which the history keeps; raises `Problem` for who must not come
        in. Called in a thread.
    body_timeout_seconds : float
        How long a body may take to arrive.
    """
    application = FastAPI(title="loanwatch alerts", docs_url=None, redoc_url=None, redirect_slashes=False)
    application.include_router(alerts_router(database, actor=_who))
    application.include_router(page_router(database, caller=caller))
    add_problem_handlers(application, nowhere="there is nothing at this address: /openapi.json tells what there is")
    application.add_exception_handler(psycopg.OperationalError, _away)
    application.add_exception_handler(DatabaseError, _away)
    return _Door(application, caller=caller, body_timeout_seconds=body_timeout_seconds)


def _who(request: Request) -> str:
    name: str = request.state.caller
    return name


def _away(request: Request, error: Exception) -> Response:
    _log.warning("the database cannot be reached", reason=str(error)[:200])
    return problem_response(request, away())


def start_service(application: App, *, host: str, port: int) -> None:
    """Answer requests in a thread that ends with the process.

    Raises
    ------
    LoanwatchError
        If the address cannot be listened on.
    """
    listener = listen(host, port)
    config = uvicorn.Config(
        application,
        http=protocol_class(header_timeout_seconds=10.0),
        log_level="warning",
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        ws="none",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    # in a thread uvicorn leaves the signals to the dispatcher, with whose process it ends
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True).start()
