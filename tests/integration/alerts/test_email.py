"""Mail over a real SMTP server with TLS."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import socket
import ssl
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from loanwatch.alerts import Event, open_alert, resolve
from loanwatch.database import Database
from loanwatch.monitoring import Severity

pytestmark = [  # of aiosmtpd's own connections
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]

CERTIFICATE = Path(__file__).parent / "tls" / "certificate.pem"


def free_port() -> int:
    """Return a port; aiosmtpd does not say which one 0 became."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """Takes mail, or answers what it is told to."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answers: list[str] = []
        self.lock = threading.Lock()

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if not answer.startswith(("4", "5")) or "after" in answer:
            self.mails.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return answer

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox, tls_context: ssl.SSLContext) -> Iterator[int]:
    def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        right = data.login == b"user" and data.password == b"mail-password"
        return AuthResult(success=right, handled=right)

    controller = Controller(
        mailbox, hostname="127.0.0.1", port=0, tls_context=tls_context, require_starttls=True,
        authenticator=check, auth_required=True,
    )  # fmt: skip
    controller.port = free_port()
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def mail(smtp_port: int):
    def build(**changes: Any) -> dict[str, Any]:
        return {
            "type": "email", "host": "127.0.0.1", "port": smtp_port, "user": "user", "password": "mail-password",
            "sender": "loanwatch <watch@lender.example>", "recipients": ["risk@lender.example"], "timeout_seconds": 2,
            "ca_file": CERTIFICATE, **changes,
        }  # fmt: skip

    return build


def halt(database: Database, message: str = "m") -> int:
    with database.connect() as connection:
        return open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message=message, dedup_key="k")


def test_a_mail_arrives_over_starttls_and_the_next_one_belongs_to_its_thread(
    database, mailbox, mail, make_settings, dispatching, eventually, statuses
):
    dispatching(make_settings({"c": mail()}))
    alert = halt(database, "line one\r\nBcc: everybody@evil.example")
    eventually(lambda: statuses() == {"delivered": 1})
    with database.connect() as connection:
        resolve(connection, alert, actor="ada", reason="repaired")
    eventually(lambda: statuses() == {"delivered": 2})
    (envelope, first), (_, second) = mailbox.mails
    assert envelope.rcpt_tos == ["risk@lender.example"]
    assert first["Subject"] == "[high] Run halted by data quality"
    assert first["Bcc"] is None
    assert "Bcc: everybody@evil.example" in first.get_content()
    assert second["References"] == first["Message-ID"]
    assert "repaired" in second.get_content()


def test_a_refusal_for_now_is_tried_again_under_the_same_message_id(
    database, mailbox, mail, make_settings, dispatching, eventually, statuses
):
    mailbox.answers = ["451 later", "451 taken all the same, after which it failed"]
    dispatching(make_settings({"c": mail()}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 1})
    assert len({m["Message-ID"] for _, m in mailbox.mails}) == 1


@pytest.mark.parametrize(("changes", "reason"), [
    ({"password": "wrong"}, "SMTP 535"),
    ({"recipients": ["nobody@lender.example"]}, "SMTP 550"),
    ({"ca_file": None}, "certificate is not trusted"),
])  # fmt: skip
def test_what_will_never_work_is_tried_once(
    database, mailbox, mail, make_settings, dispatching, eventually, statuses, query, changes, reason
):
    dispatching(make_settings({"c": mail(**changes)}))
    halt(database)
    eventually(lambda: statuses() == {"failed": 1})
    ((attempts, error),) = query("SELECT attempts, last_error FROM loanwatch.outbox")
    assert attempts == 1
    assert reason in error
    assert "mail-password" not in error
    assert mailbox.mails == []


def test_a_recipient_who_is_refused_beside_others_stands_in_the_receipt(
    database, mailbox, mail, make_settings, dispatching, eventually, statuses, query
):
    dispatching(make_settings({"c": mail(recipients=["nobody@lender.example", "risk@lender.example"])}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 1})
    assert query("SELECT receipt -> 'refused' FROM loanwatch.outbox") == [(["nobody@lender.example"],)]


def test_a_server_that_is_away_is_tried_again(database, mail, make_settings, dispatching, eventually, query):
    dispatching(make_settings({"c": mail(port=9)}))
    halt(database)
    eventually(lambda: query("SELECT attempts > 2 AND outcome_unknown = false FROM loanwatch.outbox") == [(True,)])


def test_a_server_that_talks_no_tls_is_not_sent_anything(
    database, standin, mail, make_settings, dispatching, eventually, query, mailbox
):
    controller = Controller(mailbox, hostname="127.0.0.1", port=0)
    controller.port = free_port()
    controller.start()
    dispatching(make_settings({"c": mail(port=controller.port)}))
    halt(database)
    eventually(lambda: query("SELECT status FROM loanwatch.outbox") == [("failed",)])
    controller.stop()
    assert mailbox.mails == []
