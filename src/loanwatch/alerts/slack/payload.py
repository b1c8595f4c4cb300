"""A message as Slack's blocks: escaped, and cut to Slack's limits."""

from typing import Any

from loanwatch.alerts.messages import Message
from loanwatch.errors import shorten

__all__ = ["blocks", "escaped", "fallback_text"]

_SECTION_LIMIT = 3_000
_HEADER_LIMIT = 150
_SIGNS = {"low": "🔵", "medium": "🟡", "high": "🟠", "critical": "🔴"}
_SETTLED = {"resolved": "✅", "acknowledged": "👀", "muted": "🔕"}
_MORE = "…"


def blocks(message: Message, *, possible_repeat: bool = False) -> list[dict[str, Any]]:
    """Return Slack's blocks; at most ten of them."""
    sign = _SETTLED.get(message.status) or _SIGNS.get(message.severity, "")
    header = shorten(f"{sign} {message.title}".strip(), _HEADER_LIMIT)
    found: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    found.append(_section(message.what))
    if message.lines:
        found.append(_section("\n".join(f"• {line}" for line in message.lines)))
    for heading, text in (("Does it matter?", message.matters), ("What to do", message.action)):
        if text:
            found.append(_section(text, heading=heading))
    if message.note:
        found.append(_section(f"{message.status or message.kind} {message.note}"))
    if links := _links(message):
        found.append(links)
    if context := escaped(_context(message, possible_repeat=possible_repeat), _SECTION_LIMIT):
        found.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context, "verbatim": True}]})
    return found


def fallback_text(message: Message, *, possible_repeat: bool = False) -> str:
    """Return the text of notifications and of clients that show no blocks."""
    repeat = " (possibly a repeat)" if possible_repeat else ""
    return escaped(f"{message.title}{repeat}: {message.what}", _SECTION_LIMIT)


def escaped(text: str, limit: int) -> str:
    """Return text that Slack shows as it is, cut so that no entity is torn.

    >>> escaped("<!channel> a & b", 100)
    '&lt;!channel&gt; a &amp; b'
    >>> escaped("a&b", 3)
    'a…'
    """
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    whole = "".join(entities.get(character, character) for character in text)
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(_MORE)
    for character in text:
        piece = entities.get(character, character)
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + _MORE


def _section(text: str, *, heading: str | None = None) -> dict[str, Any]:
    opening = f"*{heading}*\n" if heading else ""
    body = escaped(text or " ", _SECTION_LIMIT - len(opening))
    return {"type": "section", "text": {"type": "mrkdwn", "text": opening + body, "verbatim": True}}


def _links(message: Message) -> dict[str, Any] | None:
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}
        for label, url in (("Report", message.link), ("Acknowledge", message.manage))
        if url and url.startswith(("https://", "http://")) and len(url) <= _SECTION_LIMIT
    ]
    if message.status == "resolved":
        buttons = [button for button in buttons if button["text"] == {"type": "plain_text", "text": "Report"}]
    return {"type": "actions", "elements": buttons} if buttons else None


def _context(message: Message, *, possible_repeat: bool) -> str:
    commands = [c for c in (message.link, message.manage) if c and not c.startswith("http")]
    parts = [
        f"alert {message.alert_id}" if message.alert_id else "",
        message.severity if message.alert_id else "",
        message.subject,
        f"since {message.occurred_at}" if message.occurred_at else "",
        f"seen {message.occurrences} times" if message.occurrences > 1 else "",
        *(f"`{c}`" for c in commands if message.status != "resolved"),
        "possibly a repeat" if possible_repeat else "",
    ]
    return " · ".join(part for part in parts if part)
