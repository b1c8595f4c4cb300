"""Stand-ins for Slack, a webhook's receiver and a mail server, with faults: for tests, the soak and the benchmark.

Each records what really arrived, so that its record can be compared with the database.
"""

import contextlib
import json
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

Fault = str
"""What to do to a request: `ok`, `<status>`, `<status>_after` (taken all the same), `drop` (connection closed before),
`drop_after`, `slow_after:<seconds>`, `error:<code>` (Slack's ok=false), `garbage`, `429:<seconds>`."""


@dataclass
class Record:
    """Everything that arrived; shared by threads."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    """Messages in Slack's channel."""
    hooks: list[dict[str, Any]] = field(default_factory=list)
    """What came through the incoming webhook."""
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    """Every request to the webhook that was taken: key, headers, body."""
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def delivered_keys(self) -> list[str]:
        """Return the delivery keys of Slack's messages, repeats included."""
        return [post["metadata"]["event_payload"]["delivery"] for post in self.posts]


class HttpStandIn:
    """Slack's Web API under /api/, an incoming webhook under /services/, a webhook's receiver under /hook."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.record = Record()
        self.fault: Callable[[str], Fault] = lambda _path: "ok"
        self.token = "xoxb-right"
        self._ts = count(1)
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                standin.answer(self)

            def do_GET(self) -> None:
                standin.answer(self)

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_arguments: object) -> None:
                pass  # a client that was killed is part of the tests

        self._server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:  # noqa: PLR0911  (one line a fault)
        """Take one request, with whatever fault is due."""
        raw = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        parts = urllib.parse.urlsplit(request.path)
        body = _parsed(raw, request.headers.get("Content-Type", "")) | dict(urllib.parse.parse_qsl(parts.query))
        fault = self.fault(parts.path)
        with self.record.lock:
            self.record.calls.append(parts.path)
        kind, _, argument = fault.partition(":")
        if kind == "drop":
            return _drop(request)
        if kind == "garbage":
            return _send(request, 200, b"<html>not json</html>")
        if kind == "error":
            return _send(request, 200, json.dumps({"ok": False, "error": argument}).encode())
        if kind.isdigit() and kind != "200":
            headers = {"Retry-After": argument} if argument else {}
            return _send(
                request, int(kind), b'{"ok": false, "error": "ratelimited"}' if kind == "429" else b"oops", headers
            )
        status, out = self._take(parts.path, body, raw, request)
        if kind == "slow_after":
            time.sleep(float(argument))
        if kind == "drop_after":
            return _drop(request)
        if kind.endswith("_after") and kind[:3].isdigit():
            return _send(request, int(kind[:3]), b"oops")
        return _send(request, status, out)

    def _take(self, path: str, body: dict[str, Any], raw: bytes, request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        with self.record.lock:
            if path.startswith("/services/"):
                self.record.hooks.append(body)
                return 200, b"ok"
            if path.startswith("/hook"):
                self.record.webhooks.append(
                    {
                        "key": request.headers["Idempotency-Key"],
                        "headers": dict(request.headers),
                        "raw": raw,
                        "body": body,
                    }
                )
                return 204, b""
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                return 200, b'{"ok": false, "error": "invalid_auth"}'
            method = path.rpartition("/")[2].replace(".", "_")
            return 200, json.dumps(getattr(self, f"_{method}")(body)).encode()

    def _chat_postMessage(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        post = {**body, "ts": f"{time.time():.0f}.{next(self._ts):06d}", "updates": 0}
        self.record.posts.append(post)
        return {"ok": True, "channel": "C1", "ts": post["ts"], "message": {"text": body.get("text")}}

    def _chat_update(self, body: dict[str, Any]) -> dict[str, Any]:
        for post in self.record.posts:
            if post["ts"] == body.get("ts"):
                post.update(text=body.get("text"), blocks=body.get("blocks"), updates=post["updates"] + 1)
                return {"ok": True, "channel": "C1", "ts": post["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def _conversations_history(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._page([p for p in reversed(self.record.posts) if not p.get("thread_ts")], body)

    def _conversations_replies(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._page([p for p in self.record.posts if body["ts"] in {p["ts"], p.get("thread_ts")}], body)

    def _page(self, posts: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        start, limit = int(body.get("cursor") or 0), min(int(body.get("limit", 100)), 200)
        page = posts[start : start + limit]
        cursor = str(start + limit) if start + limit < len(posts) else ""
        kept = (
            page
            if str(body.get("include_all_metadata", "0")).lower() in {"1", "true"}
            else [{**p, "metadata": {}} for p in page]
        )
        return {"ok": True, "messages": kept, "response_metadata": {"next_cursor": cursor}}


def _parsed(raw: bytes, content_type: str) -> dict[str, Any]:
    if "json" in content_type:
        return dict(json.loads(raw))
    values: dict[str, Any] = dict(urllib.parse.parse_qsl(raw.decode()))
    for name in ("metadata", "blocks"):
        if isinstance(values.get(name), str):
            values[name] = json.loads(values[name])
    return values


def _send(request: BaseHTTPRequestHandler, status: int, out: bytes, headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    request.send_header("Content-Type", "application/json" if out[:1] == b"{" else "text/html")
    request.send_header("Content-Length", str(len(out)))
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.end_headers()
    if status != 204:
        request.wfile.write(out)


def _drop(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    with contextlib.suppress(OSError):
        request.connection.shutdown(socket.SHUT_RDWR)
