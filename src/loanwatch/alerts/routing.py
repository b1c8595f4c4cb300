"""Which channels are told of a change, and when: severity, model, event, quiet hours, digest."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from loanwatch.alerts.events import Event
from loanwatch.channel_settings import Channel
from loanwatch.monitoring import Severity

__all__ = ["held_until", "is_wanted"]


def is_wanted(channel: Channel, name: str, change: Mapping[str, Any]) -> bool:
    """Tell whether a channel is to be told of a change."""
    event = change["event"] or "rule"
    if event == Event.DELIVERY_FAILED and (change["details"] or {}).get("channel") == name:
        return False  # the channel that refuses messages would refuse this one
    if change["kind"] == "resolved" and event in set(Event) and Event(event).is_notice:
        return False  # nothing was wrong
    return (
        channel.enabled
        and change["kind"] in channel.changes
        and Severity.from_word(change["severity"]) >= Severity.from_word(channel.minimum_severity)
        and (not channel.models or change["model"] in channel.models)
        and (not channel.events or event in channel.events)
    )


def held_until(channel: Channel, severity: str, now: datetime) -> datetime | None:
    """Return when a message may go out, or None for at once.

    Parameters
    ----------
    channel : Channel
        With its quiet hours and digest time, both in its time zone.
    severity : str
        What is loud enough does not wait.
    now : datetime
        Aware.
    """
    if Severity.from_word(severity) >= Severity.from_word(channel.loud_severity):
        return None
    local = now.astimezone(ZoneInfo(channel.timezone))
    if channel.digest_at is not None:
        return _next(local, channel.digest_at)
    if channel.quiet_span is None:
        return None
    start, end = channel.quiet_span
    clock = local.time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    return _next(local, end) if is_quiet else None


def _next(local: datetime, clock: time) -> datetime:
    """Return the next moment at which the clock on the wall shows this time."""
    today = local.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0, fold=0)
    return today if today > local else today + timedelta(days=1)
