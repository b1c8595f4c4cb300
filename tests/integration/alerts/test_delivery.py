"""What is owed is delivered in order, to whom it concerns, at the right time."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import time

import pytest

from loanwatch.alerts import resolve
from loanwatch.alerts.dispatcher import Dispatcher
from loanwatch.alerts.webhook import verify
from loanwatch.monitoring import Severity

pytestmark = [  # slack_sdk leaves the sockets of refused calls to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOSTILE = "<!channel> <https://evil|click> a & b *bold* \x00\x1b[31m {{ 7 }} </script> " + "é" * 20_000


def test_markup_is_escaped_and_long_text_cut_on_every_channel(
    database, standin, channel, make_settings, dispatching, eventually, statuses, halt
):
    dispatching(make_settings({k: channel(k) for k in ("slack", "slack_webhook", "webhook")}))
    halt(message=HOSTILE)
    eventually(lambda: statuses() == {"delivered": 3})
    for post in (standin.record.posts[0], standin.record.hooks[0]):
        texts = [block["text"]["text"] for block in post["blocks"] if "text" in block]
        assert all(len(text) <= 3000 for text in texts)
        assert len(texts[0]) <= 150
        assert not any("<!" in text or "\x1b" in text for text in texts)
        assert "&lt;!channel&gt; &lt;https://evil|click&gt; a &amp; b" in texts[1]
    assert len(standin.record.webhooks[0]["raw"]) < 30_000


def test_a_webhook_is_signed_and_says_the_same_in_every_attempt(
    database, standin, channel, make_settings, dispatching, eventually, statuses, halt, once
):
    once("500_after", times=2)
    dispatching(make_settings({"c": channel("webhook")}))
    halt()
    eventually(lambda: statuses() == {"delivered": 1})
    requests = standin.record.webhooks
    assert len(requests) == 3
    assert len({r["key"] for r in requests}) == len({r["raw"] for r in requests}) == 1
    assert requests[0]["body"]["id"] == requests[0]["key"]
    for request in requests:
        sent = int(request["headers"]["X-Loanwatch-Timestamp"])
        signature = request["headers"]["X-Loanwatch-Signature"]
        assert verify(request["raw"], secret="hmac-secret", timestamp=sent, signature=signature, now=time.time())
        assert not verify(request["raw"] + b" ", secret="hmac-secret", timestamp=sent, signature=signature, now=sent)
        assert not verify(request["raw"], secret="hmac-secret", timestamp=sent, signature=signature, now=sent + 301)


def test_a_resolution_never_overtakes_the_alert(
    database, standin, channel, make_settings, dispatching, eventually, statuses, halt, once
):
    once("500", times=3)
    dispatching(make_settings({"c": channel("webhook")}))
    with database.connect() as connection:
        resolve(connection, halt())
    eventually(lambda: statuses() == {"delivered": 2})
    assert [request["body"]["kind"] for request in standin.record.webhooks] == ["opened", "resolved"]


def test_routing_goes_by_severity_model_and_event(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, halt
):
    query(
        "INSERT INTO loanwatch.ml_model (name) VALUES ('m'); INSERT INTO loanwatch.alert_rule "
        "(metric, condition, threshold, severity) VALUES ('auc', '<', 0.7, 'low')"
    )
    dispatching(make_settings({
        "high": channel("webhook", minimum_severity="high"), "model": channel("webhook", models=["m"]),
        "rules": channel("webhook", events=["rule"]), "off": channel("webhook", enabled=False),
        "drift": channel("webhook", events=["data_drift"]),
    }))  # fmt: skip
    halt()
    query("INSERT INTO loanwatch.model_metric (model_id, name, value) SELECT id, 'auc', 0.1 FROM loanwatch.ml_model")
    eventually(lambda: statuses() == {"delivered": 3})
    assert query(
        "SELECT channel, event FROM loanwatch.outbox JOIN loanwatch.alert ON alert.id = alert_id ORDER BY 1"
    ) == [("high", "halted"), ("model", None), ("rules", None)]


def test_what_waits_for_the_digest_comes_as_one_message(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, halt
):
    dispatching(make_settings({"c": channel("slack", digest_at="00:00")}))
    for number in range(60):
        halt(key=f"k{number}")
    halt(key="loud", severity=Severity.CRITICAL)
    eventually(lambda: statuses() == {"held": 60, "delivered": 1})
    query("UPDATE loanwatch.outbox SET next_attempt_at = now() WHERE status = 'held'")
    eventually(lambda: statuses() == {"digested": 60, "delivered": 2})
    assert "60 messages while it was quiet" in json.dumps(standin.record.posts[1]["blocks"])


def test_old_news_is_not_told_when_the_first_channel_is_set_up(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, halt
):
    old = halt(key="old")
    halt(key="still there")
    with database.connect() as connection:
        resolve(connection, old)
    query("UPDATE loanwatch.alert_change SET at = at - interval '3 days'")
    dispatching(make_settings({"c": channel("webhook")}))
    eventually(lambda: statuses() == {"skipped": 2, "delivered": 1})


@pytest.mark.parametrize("days", [-400, 400])
def test_jumps_of_the_clock_neither_lose_nor_double(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, days, halt
):
    """A clock that jumps is, for the outbox, one whose every recorded time moved the other way."""
    settings = make_settings({"c": channel("slack"), "d": channel("webhook")})
    standin.fault = lambda _path: "500_after"
    first = dispatching(settings)
    for number in range(3):
        halt(key=f"k{number}")
    eventually(lambda: len({p["metadata"]["event_payload"]["delivery"] for p in standin.record.posts}) == 3)
    first.stop()
    times = ("next_attempt_at", "claimed_until", "created_at", "first_attempt_at")
    query("UPDATE loanwatch.outbox SET " + ", ".join(f"{name} = {name} + interval '{days} days'" for name in times))
    standin.fault = lambda _path: "ok"
    dispatching(settings)
    halt(key="after")
    eventually(lambda: statuses() == {"delivered": 8})
    keys = standin.record.delivered_keys()
    assert len(keys) == len(set(keys)) == 4


def test_once_delivers_what_is_due_and_ends(database, standin, channel, make_settings, statuses, halt):
    for number in range(3):
        halt(key=f"k{number}")
    Dispatcher(make_settings({"c": channel("webhook")}), database).run_once()
    assert statuses() == {"delivered": 3}


def test_a_lost_notification_is_made_up_for_by_the_sweep(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, halt
):
    query("DROP TRIGGER alert_change_wakes ON loanwatch.alert_change; DROP TRIGGER outbox_wakes ON loanwatch.outbox")
    dispatching(make_settings({"c": channel("webhook")}))
    halt()
    eventually(lambda: statuses() == {"delivered": 1}, seconds=5)
