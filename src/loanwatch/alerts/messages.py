"""What a message says, whatever channel it goes to: what happened, does it matter, what to do, where to read more."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from loanwatch.alerts.events import guidance_of
from loanwatch.errors import shorten
from loanwatch.records import record

__all__ = ["Message", "compose", "digest", "test_message", "title_of"]

_TEXT_LIMIT = 6_000  # no channel shows more; a payload should not grow with the data
_HEADINGS = {
    "opened": "",
    "reopened": "Open again: ",
    "repeated": "Seen again: ",
    "raised": "More severe: ",
    "lowered": "Less severe: ",
    "acknowledged": "Acknowledged: ",
    "escalated": "Nobody has taken this yet: ",
    "muted": "Muted: ",
    "unmuted": "Still there after muting: ",
    "resolved": "Resolved: ",
}
MAX_DIGEST_LINES = 40


@record
class Message:
    """Plain text in parts, not escaped: each channel escapes and cuts for itself."""

    kind: str
    """The change of the alert, `digest` or `test`."""
    title: str
    severity: str
    status: str
    what: str
    matters: str
    action: str
    subject: str = ""
    """The model, or what else it is about."""
    link: str | None = None
    """The report."""
    manage: str | None = None
    """Where the alert can be acknowledged: a page, or a command."""
    alert_id: int | None = None
    occurred_at: str = ""
    occurrences: int = 1
    note: str = ""
    """Who changed it, and why."""
    lines: tuple[str, ...] = ()
    """Of a digest: one for each alert."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(**{**values, "lines": tuple(values["lines"])})


def compose(change: Mapping[str, Any], *, public_url: str | None) -> Message:
    """Return the message of a change of an alert.

    Parameters
    ----------
    change : mapping
        A row of `alert_change_unrouted`.
    public_url : str or None
        Where reports and alerts are served; without it the message names files and commands.
    """
    guidance = guidance_of(change["event"])
    title = title_of(change["event"], change["metric"], change["details"])
    settled = change["kind"] in ("resolved", "acknowledged", "muted")
    return Message(
        kind=change["kind"],
        title=shorten(_HEADINGS.get(change["kind"], "") + title, 200),
        severity=change["severity"],
        status=_status(change),
        subject=f"{change['model']} v{change['version']}" if change["model"] else "",
        what=shorten(_clean(change["message"]), _TEXT_LIMIT),
        matters="" if settled else guidance.matters,
        action="" if settled else guidance.action,
        link=_report_link(change, public_url),
        manage=_manage(change, public_url),
        alert_id=change["alert_id"],
        occurred_at=_moment(change["triggered_at"]),
        occurrences=change["occurrences"],
        note=shorten(_note(change), 1_000),
    )


def digest(lines: list[str], *, total: int, severity: str) -> Message:
    """Return one message in place of many."""
    shown = tuple(shorten(line, 300) for line in lines[:MAX_DIGEST_LINES])
    more = f" The first {len(shown)} of them:" if total > len(shown) else ""
    return Message(
        kind="digest",
        title=f"{total} messages while it was quiet",
        severity=severity,
        status="",
        what=f"{total} messages were collected.{more}",
        matters="Nothing in here was severe enough to be told at once.",
        action="`loanwatch alerts list` shows what is still open.",
        lines=shown,
    )


def test_message(channel: str, actor: str) -> Message:
    """Return what `loanwatch alerts test` sends."""
    return Message(
        kind="test",
        title="Test message",
        severity="low",
        status="",
        what=f"{actor} asked for a test of the channel {channel}.",
        matters="No.",
        action="Nothing: if you can read this, the channel works.",
    )


def title_of(event: str | None, metric: str | None, details: Mapping[str, Any] | None) -> str:
    """Return what an alert is called: after its event, or after the figure that breaks a rule.

    >>> title_of("halted", None, None), title_of(None, "auc", None)
    ('Run halted by data quality', 'auc breaks its rule')
    """
    if event:
        return guidance_of(event).title
    return f"{metric or (details or {}).get('metric') or 'a figure'} breaks its rule"


def _status(change: Mapping[str, Any]) -> str:
    return {"resolved": "resolved", "acknowledged": "acknowledged", "muted": "muted"}.get(change["kind"], "open")


def _note(change: Mapping[str, Any]) -> str:
    if change["kind"] not in ("acknowledged", "resolved", "muted", "raised", "unmuted", "reopened"):
        return ""
    by = f"by {change['actor']}"
    return f"{by}: {_clean(change['reason'])}" if change["reason"] else by


def _report_link(change: Mapping[str, Any], public_url: str | None) -> str | None:
    if change["run_id"] is None:
        return None
    if public_url:
        return f"{public_url.rstrip('/')}/reports/run-{change['run_id']}.html"
    return f"loanwatch report {change['run_id']}"


def _manage(change: Mapping[str, Any], public_url: str | None) -> str:
    if public_url:
        return f"{public_url.rstrip('/')}/alerts/{change['alert_id']}"
    return f"loanwatch alerts ack {change['alert_id']}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _clean(text: str | None) -> str:
    """Drop control characters, which no channel shows and some refuse."""
    return "".join(c for c in text or "" if c in "\n\t" or (c.isprintable()))
