"""Receive the body of a request: bounded in size and in time, unpacked if it is gzip."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from loanwatch.records import record
from loanwatch.web.problem import FieldError, Problem, busy

__all__ = ["BodyLimits", "BodyRoom", "check_content_type", "receive_body"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = dict[bytes, bytes]

_DRAIN_FACTOR = 16
_CLOSE = {"Connection": "close"}


@record
class BodyLimits:
    """What a client may send."""

    max_bytes: int
    """Before and after unpacking."""
    timeout_seconds: float
    """From the end of the headers to the end of the body."""


@dataclass
class BodyRoom:
    """What the bodies that are on their way to one worker may hold together."""

    free_bytes: int

    def take(self, size: int) -> None:
        """Take room for a part of a body.

        Raises
        ------
        Problem
            503 if there is none.
        """
        if size > self.free_bytes:
            raise busy()
        self.free_bytes -= size


def check_content_type(headers: Headers) -> None:
    """Refuse what says that it is no JSON; a body without a type is taken for JSON.

    Raises
    ------
    Problem
        415.
    """
    given = headers.get(b"content-type", b"application/json")
    kind, _, parameters = given.partition(b";")
    kind = kind.strip().lower()
    if kind != b"application/json" and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        raise Problem(415, "unsupported_media_type", "the body must be JSON: send Content-Type: application/json")
    charset = parameters.strip().lower().replace(b'"', b"")
    if charset.startswith(b"charset=") and charset[8:] not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        raise Problem(415, "unsupported_media_type", "the body must be JSON in UTF-8")


async def receive_body(headers: Headers, receive: Receive, limits: BodyLimits, room: BodyRoom) -> bytes:
    """Return the body, unpacked.

    Raises
    ------
    Problem
        408 if it does not end in time, 413 if it is too large, 415 if it is packed in another way than gzip,
        422 if it is no gzip although it says so, 400 if the client hung up, 503 if others send too much meanwhile.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip"):
        raise Problem(
            415, "unsupported_encoding", "send the body as it is, or as gzip", headers={"Accept-Encoding": "gzip"}
        )
    body = await _within(limits.timeout_seconds, _receive_all(headers, receive, limits, room))
    return body if encoding == b"identity" else _unpack(body, limits.max_bytes)


async def _within(seconds: float, work: Awaitable[bytes]) -> bytes:
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError as error:
        raise Problem(408, "timeout", f"the body did not arrive within {seconds:g} seconds", headers=_CLOSE) from error


async def _receive_all(headers: Headers, receive: Receive, limits: BodyLimits, room: BodyRoom) -> bytes:
    length = headers.get(b"content-length", b"")
    announced = int(length) if length.isdigit() else 0
    if announced > limits.max_bytes and (b"expect" in headers or announced > _DRAIN_FACTOR * limits.max_bytes):
        raise _too_large(limits.max_bytes)
    parts: list[bytes] = []
    size = held = 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "disconnected", "the client hung up before the body ended", headers=_CLOSE)
            part = message.get("body", b"")
            size += len(part)
            if size <= limits.max_bytes:
                room.take(len(part))
                held += len(part)
                parts.append(part)
            elif size > _DRAIN_FACTOR * limits.max_bytes:
                raise _too_large(limits.max_bytes)
            else:
                parts.clear()  # read on, so that the client is not cut off before it hears the answer
            if not message.get("more_body", False):
                break
    finally:
        room.free_bytes += held
    if size > limits.max_bytes:
        raise _too_large(limits.max_bytes)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unpack(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise _no_gzip() from error
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise _no_gzip()
    return content


def _no_gzip() -> Problem:
    wrong = [FieldError(row=None, field=None, expected="one gzip stream, or no Content-Encoding")]
    return Problem(422, "invalid_input", "the body is no gzip although it says so", errors=wrong)


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        413, "body_too_large", f"the body is larger than {max_bytes:,} bytes: send fewer applications", headers=_CLOSE
    )
