"""The service as an ASGI application: admits, reads, scores, remembers, answers.

Predictions take a way of their own past the framework, which would cost more than scoring does; all else is answered
by the FastAPI application inside, which also describes both.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from pydantic_core import to_json

from loanwatch.errors import ArtifactError, StorageError, shorten
from loanwatch.logging import get_logger
from loanwatch.predictor.access import Gate
from loanwatch.predictor.decisions import answers_of, decision_lines
from loanwatch.predictor.metrics import Metrics
from loanwatch.predictor.requests import RequestReader
from loanwatch.predictor.scorer import Scored, Scorer
from loanwatch.predictor.shipper import Shipper
from loanwatch.predictor.spool import Spool
from loanwatch.predictor.watch import Watcher
from loanwatch.web.body import BodyLimits, BodyRoom, check_content_type, receive_body
from loanwatch.web.problem import INTERNAL_ERROR, FieldError, Problem, busy
from loanwatch.web.responses import secured, send_json

__all__ = ["Service"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_PREDICT = "/predict"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_MAX_AT_ONCE = 256
_BODIES_AT_ONCE = 32
"""So many bodies of the largest size may be on their way to one worker."""
_FIRST_ANSWER_SECONDS = 15.0
"""Longer than a database that is silent keeps a connection waiting."""
_INLINE_BYTES = 8_192
"""Larger bodies are scored beside the event loop, which meanwhile answers others."""


@dataclass(kw_only=True)
class _Request:
    """What is told of a request when it is over."""

    id: str
    path: str
    method: str
    started: float
    status: int = 500
    is_answered: bool = False
    """Whether the application inside has begun to answer."""
    rows: int = 0
    token: str | None = None


class Service:
    """One worker's service.

    Parameters
    ----------
    inner : ASGI application
        Answers everything but predictions.
    """

    def __init__(
        self,
        *,
        inner: App,
        reader: RequestReader,
        limits: BodyLimits,
        watcher: Watcher,
        spool: Spool,
        shipper: Shipper,
        metrics: Metrics,
        gate: Gate,
    ) -> None:
        self.inner = inner
        self.reader = reader
        self.limits = limits
        self.watcher = watcher
        self.spool = spool
        self.shipper = shipper
        self.metrics = metrics
        self.gate = gate
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="scoring")
        self._room = BodyRoom(_BODIES_AT_ONCE * limits.max_bytes)
        self._at_once = 0
        self._log = get_logger("predictor")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.watcher.start()
        self.shipper.start()
        # Not before it knows its model: beside other workers, the first requests would fail here alone.
        await asyncio.get_running_loop().run_in_executor(None, self.watcher.asked.wait, _FIRST_ANSWER_SECONDS)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.watcher.stop()
        self._pool.shutdown()
        await asyncio.get_running_loop().run_in_executor(None, self.shipper.stop)
        self.gate.limiter.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request = _Request(
            id=given.decode() if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
            path=scope["path"],
            method=scope["method"],
            started=time.perf_counter(),
        )
        try:
            token = self.gate.admit(request.path, headers, self.watcher)
            request.token = token.name if token else None
            if request.path == _PREDICT:
                body = await self._predict(scope, headers, receive, request)
                await send_json(send, 200, body, request.id)
                request.status = 200
            else:
                await self._pass_on(scope, receive, send, request)
        except Problem as problem:
            request.status = problem.status
            await send_json(send, problem.status, problem.body(request.id), request.id, headers=problem.headers)
        except Exception:  # noqa: BLE001  (the client gets an answer, and the log the cause)
            self._log.exception("internal error", request_id=request.id, path=shorten(request.path, 200))
            if not request.is_answered:
                await send_json(send, 500, INTERNAL_ERROR.body(request.id), request.id)
        finally:
            self._tell(request)

    def _tell(self, request: _Request) -> None:
        seconds = time.perf_counter() - request.started
        self.metrics.request(request.path, request.status, seconds)
        self._log.info(
            "request",
            request_id=request.id,
            method=request.method,
            path=shorten(request.path, 200),
            status=request.status,
            milliseconds=round(1000 * seconds, 2),
            rows=request.rows,
            token=request.token,
        )

    async def _pass_on(self, scope: Message, receive: Receive, send: Send, request: _Request) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status, request.is_answered = message["status"], True
                message = secured(message, request.id)
            await send(message)

        scope.setdefault("state", {})["request_id"] = request.id
        await self.inner(scope, receive, sending)

    async def _predict(self, scope: Message, headers: dict[bytes, bytes], receive: Receive, request: _Request) -> bytes:
        if request.method != "POST":
            raise Problem(405, "method_not_allowed", "send applications by POST", headers={"Allow": "POST"})
        check_content_type(headers)
        explain = _explain(scope["query_string"])
        # Only whole bodies count as work: clients that send slowly must not keep others out.
        body = await receive_body(headers, receive, self.limits, self._room)
        if self._at_once >= _MAX_AT_ONCE:
            raise busy()
        self._at_once += 1
        try:
            scorer = self.watcher.scorer
            if scorer is None:
                raise Problem(503, "no_model", self.watcher.reason, headers={"Retry-After": "2"})
            if len(body) <= _INLINE_BYTES and not explain:
                answer, scored = self._decide(scorer, body, request, explain=False)
            else:
                work = partial(self._decide, scorer, body, request, explain=explain)
                answer, scored = await asyncio.get_running_loop().run_in_executor(self._pool, work)
            self.metrics.scored(scored.probability, scored.unknown, scored.missing)
            self.metrics.set("spool_bytes", self.spool.untaken)
            return answer
        finally:
            self._at_once -= 1

    def _decide(self, scorer: Scorer, body: bytes, request: _Request, *, explain: bool) -> tuple[bytes, Scored]:
        """Read, score and remember; the decisions are on their way to the disk before anybody hears of them."""
        rows = self.reader.read(body)
        request.rows = len(rows)
        try:
            scored = scorer.score(rows, explain=explain)
        except ArtifactError as error:
            raise Problem(409, "no_reasons", str(error)) from error
        try:
            self.spool.append(decision_lines(scorer, rows, scored, request_id=request.id))
        except StorageError as error:
            self._log.error("decisions cannot be remembered", reason=str(error))
            raise Problem(
                503,
                "cannot_remember",
                "decisions cannot be recorded at the moment, so none is made",
                headers={"Retry-After": "5"},
            ) from error
        return to_json(answers_of(scorer, rows, scored)), scored


def _explain(query: bytes) -> bool:
    if not query:
        return False
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("explain", ["false"])[-1]
    if given.lower() in ("true", "1", "yes", ""):
        return True
    if given.lower() in ("false", "0", "no"):
        return False
    wrong = FieldError(row=None, field="explain", expected="true or false")
    raise Problem(422, "invalid_input", "explain in the address is neither true nor false", errors=[wrong])
