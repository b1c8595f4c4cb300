"""A mail server with faults, for the soak: it records what really arrived, whatever it answered."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller

__all__ = ["Mail", "MailStandIn"]


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail that was taken."""

    message_id: str
    subject: str
    text: str


class MailStandIn:
    """Takes mail on a port of its own; `fault` says what happens to each (see `alerts_standins.Fault`)."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.fault: Callable[[str], str] = lambda _path: "ok"
        with socket.socket() as probe:  # aiosmtpd does not say which port 0 became
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        """Stop taking mail."""
        self._controller.stop()

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take one mail, with whatever fault is due."""
        kind, _, argument = self.fault("/mail").partition(":")
        if kind == "451":
            return "451 later"
        if kind == "drop":
            server.transport.close()
            return "421 gone"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(Mail(message_id=mail["Message-ID"], subject=mail["Subject"], text=mail.get_content()))
        if kind == "slow_after":
            await asyncio.sleep(float(argument))
        if kind == "drop_after":
            server.transport.close()
        return "451 taken, and then it failed" if kind == "451_after" else "250 taken"
