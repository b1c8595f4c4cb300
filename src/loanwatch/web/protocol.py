"""uvicorn's HTTP protocol, with a limit on how long headers may take and errors in our shape."""

import asyncio
import uuid
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from loanwatch.logging import get_logger
from loanwatch.web.problem import Problem
from loanwatch.web.responses import raw_response

__all__ = ["ImpatientProtocol", "protocol_class"]

_MAX_HEAD_BYTES = 2**20
"""Far more than headers need; the start of a body may be in the same packet."""


class ImpatientProtocol(HttpToolsProtocol):
    """Hangs up on clients whose headers do not end in time or in size; uvicorn itself would take them for ever."""

    header_timeout_seconds: ClassVar[float] = 10.0
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_headers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless headers go on and on."""
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._end_with(Problem(431, "headers_too_large", "the headers are far longer than any request needs"))
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers' end."""
        super().on_message_begin()
        self._await_headers()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._forget_deadline()
        self._in_headers = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (the parser's words, which help nobody)
        """Answer what is no HTTP."""
        self._end_with(Problem(400, "bad_request", "this is no HTTP request that can be read"))

    def _await_headers(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(self.header_timeout_seconds, self._hang_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._head_bytes = 0

    def _hang_up(self) -> None:
        if self._in_headers:
            self._end_with(Problem(408, "timeout", "the headers did not arrive in time"))
        elif not self.transport.is_closing():
            self.transport.close()

    def _end_with(self, problem: Problem) -> None:
        """Answer what never became a request, and hang up."""
        if self.transport.is_closing():
            return
        request_id = uuid.uuid4().hex
        # An answer to an earlier request of this connection may be under way: nothing may come between its parts.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(raw_response(problem, request_id))
        self.transport.close()
        get_logger("predictor").info("no request", request_id=request_id, status=problem.status, reason=problem.code)


def protocol_class(*, header_timeout_seconds: float) -> type[ImpatientProtocol]:
    """Return the protocol with a limit of its own."""
    return type("Protocol", (ImpatientProtocol,), {"header_timeout_seconds": header_timeout_seconds})
