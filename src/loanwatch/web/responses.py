"""How an answer is written: as ASGI messages, or as bytes where there is no request yet."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from loanwatch.web.problem import Problem

__all__ = ["SECURITY_HEADERS", "raw_response", "secured", "send_json"]

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    # The pages have styles in them, one of them a form, and nothing else.
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
"""Told with every answer."""


async def send_json(
    send: Send, status: int, body: bytes, request_id: str, *, headers: Mapping[str, str] | None = None
) -> None:
    """Send one answer whole."""
    await send({"type": "http.response.start", "status": status, "headers": _headers(body, request_id, headers)})
    await send({"type": "http.response.body", "body": body})


def secured(start: MutableMapping[str, Any], request_id: str) -> MutableMapping[str, Any]:
    """Return the start of an application's answer with the headers that every answer has."""
    own = [pair for pair in start.get("headers", ()) if pair[0] != b"cache-control"]
    return {**start, "headers": [*own, *SECURITY_HEADERS, (b"x-request-id", request_id.encode())]}


def raw_response(problem: Problem, request_id: str) -> bytes:
    """Return the last answer of a connection, for what never became a request."""
    body = problem.body(request_id)
    pairs = _headers(body, request_id, {**problem.headers, "Connection": "close"})
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in pairs), b"", body])


def _headers(body: bytes, request_id: str, more: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *SECURITY_HEADERS,
        *((name.lower().encode(), value.encode()) for name, value in (more or {}).items()),
    ]
