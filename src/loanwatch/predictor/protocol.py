"""uvicorn's HTTP protocol, with a limit on how long headers may take and errors in our shape."""

import asyncio
import uuid
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from loanwatch.predictor.problem import Problem

__all__ = ["ImpatientProtocol", "protocol_class"]


_MAX_HEAD_BYTES = 2**20
"""Far more than headers need; the start of a body may be in the same packet."""


class ImpatientProtocol(HttpToolsProtocol):
    """Hangs up on clients whose headers do not end in time or in size; uvicorn itself would take them for ever."""

    header_timeout_seconds: ClassVar[float] = 10.0
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

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
                self._hang_up()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers' end."""
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._forget_deadline()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (the parser's words, which help nobody)
        """Answer what is no HTTP."""
        problem = Problem(400, "bad_request", "this is no HTTP request that can be read")
        body = problem.body(uuid.uuid4().hex)
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def _await_headers(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(self.header_timeout_seconds, self._hang_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._head_bytes = 0

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def protocol_class(*, header_timeout_seconds: float) -> type[ImpatientProtocol]:
    """Return the protocol with a limit of its own."""
    return type("Protocol", (ImpatientProtocol,), {"header_timeout_seconds": header_timeout_seconds})
