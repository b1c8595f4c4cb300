"""Who is told of a change, and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loanwatch.alerts.routing import held_until, is_wanted
from loanwatch.channel_settings import WebhookChannel


def channel(**changes: Any) -> WebhookChannel:
    return WebhookChannel(type="webhook", url="http://x", **changes)


def change(**changes: Any) -> dict[str, Any]:
    return {"event": "halted", "kind": "opened", "severity": "high", "model": "m", "details": {}, **changes}


@pytest.mark.parametrize(("settings", "of", "wanted"), [
    ({}, {}, True),
    ({"enabled": False}, {}, False),
    ({"minimum_severity": "high"}, {}, True),
    ({"minimum_severity": "critical"}, {}, False),
    ({"models": ("m", "n")}, {}, True),
    ({"models": ("n",)}, {}, False),
    ({"models": ("n",)}, {"model": None}, False),
    ({"events": ("rule",)}, {}, False),
    ({"events": ("rule",)}, {"event": None}, True),
    ({"changes": ("escalated",)}, {}, False),
    ({"changes": ("escalated",)}, {"kind": "escalated"}, True),
    ({}, {"event": "promoted", "kind": "resolved"}, False),
    ({}, {"event": "delivery_failed", "details": {"channel": "here"}}, False),
    ({}, {"event": "delivery_failed", "details": {"channel": "there"}}, True),
])  # fmt: skip
def test_a_channel_is_told_what_its_settings_say(settings, of, wanted):
    assert is_wanted(channel(**settings), "here", change(**of)) is wanted


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("quiet", "now", "until"), [
    ("22:00-07:00", "2015-03-01T21:59:59", None),
    ("22:00-07:00", "2015-03-01T22:00:00", "2015-03-02T07:00:00"),
    ("22:00-07:00", "2015-03-02T06:59:59", "2015-03-02T07:00:00"),
    ("22:00-07:00", "2015-03-02T07:00:00", None),
    ("12:00-13:00", "2015-03-02T12:30:00", "2015-03-02T13:00:00"),
    ("12:00-13:00", "2015-03-02T13:00:00", None),
])  # fmt: skip
def test_quiet_hours_hold_until_their_end(quiet, now, until):
    assert held_until(channel(quiet_hours=quiet), "high", at(now)) == (at(until) if until else None)


def test_quiet_hours_are_local_also_when_the_clocks_change():
    berlin = channel(quiet_hours="22:00-07:00", timezone="Europe/Berlin")
    assert held_until(berlin, "high", at("2015-03-28T21:30:00")) == at("2015-03-29T05:00:00")  # spring forward
    assert held_until(berlin, "high", at("2015-10-24T20:30:00")) == at("2015-10-25T06:00:00")  # fall back
    assert held_until(berlin, "high", at("2015-07-01T05:30:00")) is None


@pytest.mark.parametrize(("loud", "severity", "waits"), [
    ("critical", "critical", False), ("critical", "high", True), ("high", "high", False)
])  # fmt: skip
def test_what_is_loud_enough_does_not_wait(loud, severity, waits):
    quiet = channel(quiet_hours="00:00-23:59", loud_severity=loud)
    assert (held_until(quiet, severity, at("2015-01-01T12:00:00")) is not None) is waits


def test_a_digest_waits_for_its_time_of_day():
    daily = channel(digest_at="08:00")
    assert held_until(daily, "low", at("2015-01-01T07:59:00")) == at("2015-01-01T08:00:00")
    assert held_until(daily, "low", at("2015-01-01T08:00:00")) == at("2015-01-02T08:00:00")
