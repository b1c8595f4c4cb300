"""A message as plain text mail, threaded by alert."""

from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from loanwatch.alerts.transport import Delivery
from loanwatch.errors import shorten

__all__ = ["mail_of", "message_id"]

_SUBJECT_LIMIT = 180


def message_id(delivery: Delivery, sender: str) -> str:
    """Return the Message-ID: the same in every attempt, so that a repeat is one mail to whoever sorts by it."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "loanwatch.invalid"
    return f"<{delivery.key}@{domain}>"


def mail_of(delivery: Delivery, *, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """Return the mail."""
    message = delivery.message
    mail = EmailMessage()
    # a line break in a header would begin another header
    title = " ".join(f"[{message.severity}] {message.title} {message.subject}".split())
    mail["Subject"] = shorten(title, _SUBJECT_LIMIT)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = message_id(delivery, sender)
    mail["Auto-Submitted"] = "auto-generated"
    if delivery.thread and (first := delivery.thread.get("message_id")):
        mail["In-Reply-To"] = first
        mail["References"] = first
    if delivery.outcome_unknown or delivery.possible_repeat:
        mail["X-Loanwatch-Possible-Repeat"] = "yes"
    mail.set_content(_text(delivery).encode("utf-8", "replace").decode())
    return mail


def _text(delivery: Delivery) -> str:
    message = delivery.message
    facts = [
        f"alert {message.alert_id}" if message.alert_id else "",
        message.severity,
        message.status,
        message.subject,
        f"since {message.occurred_at}" if message.occurred_at else "",
        f"seen {message.occurrences} times" if message.occurrences > 1 else "",
    ]
    parts = [
        message.what,
        "\n".join(f"- {line}" for line in message.lines),
        f"{message.status} {message.note}" if message.note else "",
        f"Does it matter?\n{message.matters}" if message.matters else "",
        f"What to do\n{message.action}" if message.action else "",
        f"Report: {message.link}" if message.link else "",
        f"Acknowledge: {message.manage}" if message.manage and message.status != "resolved" else "",
        " · ".join(fact for fact in facts if fact),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
