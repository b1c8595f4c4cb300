"""A stand-in for Slack's Web API on this machine: accepts messages and keeps them."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

CHANNEL_ID = "C1"
"""Slack's own name of the channel, whatever it was called by."""


class SlackStandIn:
    """Use as a context manager; `messages` has every call of chat.postMessage."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                is_json = "json" in self.headers.get("Content-Type", "")
                body = json.loads(raw) if is_json else dict(urllib.parse.parse_qsl(raw.decode()))
                method = self.path.removeprefix("/api/")
                stand_in.calls.append((method, body))
                answer = {"ok": True, "channel": CHANNEL_ID, "ts": f"{len(stand_in.calls)}.1", "messages": []}
                payload = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST  # noqa: N815  (http.server's name)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/"

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [body for method, body in self.calls if method == "chat.postMessage"]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
