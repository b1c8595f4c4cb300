"""What is owed is delivered once, in order, however the channel behaves."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import time
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from alerts_standins import HttpStandIn

from loanwatch.alerts import Event, acknowledge, list_alerts, open_alert, resolve
from loanwatch.alerts.dispatcher import Dispatcher
from loanwatch.alerts.outbox import list_deliveries, redeliver
from loanwatch.alerts.webhook import verify
from loanwatch.database import Database
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity

pytestmark = [  # slack_sdk leaves the sockets of refused calls to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOSTILE = "<!channel> <https://evil|click> a & b *bold* \x00\x1b[31m {{ 7 }} </script> " + "é" * 20_000


def halt(database: Database, *, key: str = "k", message: str = "m", severity: Severity = Severity.HIGH) -> int:
    with database.connect() as connection:
        return open_alert(connection, event=Event.HALTED, severity=severity, message=message, dedup_key=key)


def once(standin, fault: str, *, on: str = "", times: int = 1) -> None:
    """Have the stand-in fail the first requests, then behave."""
    left = [times]

    def choose(path: str) -> str:
        if on in path and left[0] > 0:
            left[0] -= 1
            return fault
        return "ok"

    standin.fault = choose


def arrived(standin, kind: str) -> int:
    record = standin.record
    if kind == "slack":
        return len(record.posts)
    if kind == "webhook":
        return len({post["key"] for post in record.webhooks})
    return len(record.hooks)


FAULTS = ("ok", "429:1", "500", "drop", "drop_after", "500_after", "slow_after:1.5", "garbage", "408")
KINDS = ("slack", "slack_webhook", "webhook")


CASES = [
    case for case in product(KINDS, FAULTS) if case[1] != "garbage" or case[0] == "slack"
]  # elsewhere 200 is enough


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_every_passing_fault_ends_in_one_delivery(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, fault
):
    once(standin, fault)
    dispatching(make_settings({"c": channel(kind)}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 1})
    assert arrived(standin, kind) == (2 if kind == "slack_webhook" and "after" in fault else 1)
    # a webhook of Slack's cannot be asked: after any doubt the second message says that it may be one
    in_doubt = kind == "slack_webhook" and fault not in ("ok", "429:1", "408")
    assert query("SELECT possible_repeat, attempts > 1 FROM loanwatch.outbox") == [(in_doubt, fault != "ok")]
    if in_doubt:
        assert "possibly a repeat" in json.dumps(standin.record.hooks[-1])


@pytest.mark.parametrize(("kind", "fault"), [
    ("slack", "error:invalid_auth"), ("slack", "error:channel_not_found"), ("slack", "404"),
    ("slack", "error:msg_too_long"),
    ("slack_webhook", "404"), ("slack_webhook", "403"), ("slack_webhook", "410"),
    ("webhook", "404"), ("webhook", "401"), ("webhook", "301"),
])  # fmt: skip
def test_a_permanent_refusal_is_tried_once_and_is_an_alert_of_its_own(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, fault
):
    standin.fault = lambda _path: fault
    dispatching(make_settings({"c": channel(kind)}))
    halt(database)
    halt(database, key="other")
    eventually(lambda: statuses() == {"failed": 2})
    time.sleep(0.5)
    assert query("SELECT DISTINCT attempts FROM loanwatch.outbox") == [(1,)]
    with database.connect() as connection:
        (failure,) = list_alerts(connection, event="delivery_failed")
        assert failure.occurrences == 2
        assert all("secret" not in (row.last_error or "") for row in list_deliveries(connection))
        standin.fault = lambda _path: "ok"
        assert redeliver(connection, channel="c") == 2
    eventually(lambda: statuses() == {"delivered": 2})
    assert arrived(standin, kind) == 2


def test_two_channels_that_refuse_everything_do_not_keep_each_other_busy(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query
):
    standin.fault = lambda _path: "404"
    dispatching(make_settings({"a": channel("webhook"), "b": channel("slack_webhook")}))
    halt(database)
    # two for the alert; one about each channel, on the other one
    eventually(lambda: statuses() == {"failed": 4})
    time.sleep(1)
    assert statuses() == {"failed": 4}
    assert query("SELECT count(*) FROM loanwatch.alert") == [(3,)]


def test_a_channel_that_works_again_closes_its_alert(
    database, standin, channel, make_settings, dispatching, eventually, query
):
    once(standin, "404")
    dispatching(make_settings({"c": channel("webhook")}))
    for number in range(4):
        halt(database, key=f"k{number}")
    eventually(lambda: query("SELECT status FROM loanwatch.alert WHERE event = 'delivery_failed'") == [("resolved",)])


def test_after_too_many_attempts_it_is_a_dead_letter(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query
):
    standin.fault = lambda _path: "500"
    dispatching(make_settings({"c": channel("webhook")}, maximum_attempts=3))
    halt(database)
    eventually(lambda: statuses() == {"failed": 1})
    assert query("SELECT attempts, last_error FROM loanwatch.outbox") == [(3, "HTTP 500: oops")]


def test_redelivering_what_is_no_dead_letter_says_so(database):
    with database.connect() as connection, pytest.raises(LoanwatchError, match="delivery 5 is no dead letter"):
        redeliver(connection, delivery_id=5)


def test_nobody_listening_is_tried_again_until_somebody_does(
    database, channel, make_settings, dispatching, eventually, statuses, standin
):
    standin.close()
    dispatching(make_settings({"c": channel("webhook")}))
    halt(database)
    eventually(lambda: statuses() == {"pending": 1})
    again = HttpStandIn(port=standin.port)
    eventually(lambda: statuses() == {"delivered": 1})
    assert len(again.record.webhooks) == 1
    again.close()


def test_an_untrusted_certificate_is_refused_and_a_trusted_one_taken(
    database, channel, make_settings, dispatching, eventually, statuses, query, tls_context
):
    server = HttpStandIn(tls=tls_context)
    urls = {"webhook": server.url + "/hook", "slack_webhook": server.url + "/services/x"}
    channels = {f"bad {kind}": channel(kind, url=url) for kind, url in urls.items()}
    channels |= {
        f"good {kind}": channel(kind, url=url, ca_file=Path(__file__).parent / "tls" / "certificate.pem")
        for kind, url in urls.items()
    }
    dispatching(make_settings({name: {**c, "events": ["halted"]} for name, c in channels.items()}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 2, "failed": 2})
    assert query("SELECT DISTINCT channel LIKE 'bad%%', status FROM loanwatch.outbox ORDER BY 1") == [
        (False, "delivered"), (True, "failed")
    ]  # fmt: skip
    assert (
        "certificate is not trusted" in query("SELECT last_error FROM loanwatch.outbox WHERE status = 'failed'")[0][0]
    )
    server.close()


def test_slack_keeps_one_thread_an_alert_and_its_first_message_up_to_date(
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    dispatching(make_settings({"c": channel("slack")}, public_url="https://lw.example"))
    alert = halt(database)
    eventually(lambda: len(standin.record.posts) == 1)
    with database.connect() as connection:
        acknowledge(connection, alert, actor="ada", note="looking")
    with database.connect() as connection:
        resolve(connection, alert, actor="ada", reason="repaired")
    eventually(lambda: statuses() == {"delivered": 3})
    first, *replies = standin.record.posts
    assert [reply["thread_ts"] for reply in replies] == [first["ts"]] * 2
    assert first["updates"] == 2
    assert "Resolved" in first["text"]
    assert "looking" in json.dumps(replies[0]["blocks"])
    assert "repaired" in json.dumps(replies[1]["blocks"])
    assert f"https://lw.example/alerts/{alert}" in json.dumps(replies[0]["blocks"])


@pytest.mark.parametrize("gone", ["message_not_found", "cant_update_message"])
def test_a_first_message_that_somebody_deleted_does_not_stop_the_next(
    database, standin, channel, make_settings, dispatching, eventually, statuses, gone
):
    dispatching(make_settings({"c": channel("slack")}))
    alert = halt(database)
    eventually(lambda: statuses() == {"delivered": 1})
    standin.fault = lambda path: f"error:{gone}" if path.endswith("chat.update") else "ok"
    with database.connect() as connection:
        resolve(connection, alert)
    eventually(lambda: statuses() == {"delivered": 2})
    assert standin.record.posts[1].get("thread_ts") is None


def test_where_slack_does_not_let_us_look_the_repeat_is_marked(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query
):
    faults = iter(["500_after"])
    standin.fault = lambda path: (
        "error:missing_scope" if "conversations" in path else next(faults, "ok") if "post" in path else "ok"
    )
    dispatching(make_settings({"c": channel("slack")}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 1})
    assert query("SELECT possible_repeat FROM loanwatch.outbox") == [(True,)]
    assert "possibly a repeat" in json.dumps(standin.record.posts[-1]["blocks"])


def test_a_message_is_found_behind_many_others(
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    once(standin, "drop_after", on="chat.postMessage")
    now = time.time()
    dispatcher_settings = make_settings({"c": channel("slack")}, retry_seconds=1)
    dispatching(dispatcher_settings)
    halt(database)
    eventually(lambda: len(standin.record.posts) == 1)
    for number in range(450):
        standin.record.posts.append({"ts": f"{now + 1:.0f}.{number:06d}", "text": "chat", "metadata": {}})
    eventually(lambda: statuses() == {"delivered": 1})
    assert [post for post in standin.record.posts if post["text"] != "chat"] == standin.record.posts[:1]
    assert standin.record.calls.count("/api/conversations.history") == 3


def test_markup_is_escaped_and_long_text_cut_on_every_channel(
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    dispatching(make_settings({k: channel(k) for k in ("slack", "slack_webhook", "webhook")}))
    halt(database, message=HOSTILE)
    eventually(lambda: statuses() == {"delivered": 3})
    for post in (standin.record.posts[0], standin.record.hooks[0]):
        texts = [block["text"]["text"] for block in post["blocks"] if "text" in block]
        assert all(len(text) <= 3000 for text in texts)
        assert len(texts[0]) <= 150
        assert not any("<!" in text or "\x1b" in text for text in texts)
        assert "&lt;!channel&gt; &lt;https://evil|click&gt; a &amp; b" in texts[1]
    assert len(standin.record.webhooks[0]["raw"]) < 30_000


def test_a_webhook_is_signed_and_says_the_same_in_every_attempt(
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    once(standin, "500_after", times=2)
    dispatching(make_settings({"c": channel("webhook")}))
    halt(database)
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
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    once(standin, "500", times=3)
    dispatching(make_settings({"c": channel("webhook")}))
    with database.connect() as connection:
        resolve(connection, halt(database))
    eventually(lambda: statuses() == {"delivered": 2})
    assert [request["body"]["kind"] for request in standin.record.webhooks] == ["opened", "resolved"]


def test_a_slow_channel_holds_up_no_other(database, standin, channel, make_settings, dispatching, eventually, query):
    standin.fault = lambda path: "slow_after:0.9" if "/services/" in path else "ok"
    dispatching(make_settings({"slow": channel("slack_webhook"), "quick": channel("webhook")}))
    for number in range(20):
        halt(database, key=f"k{number}")
    eventually(lambda: len(standin.record.webhooks) == 20, seconds=5)
    assert query("SELECT count(*) FROM loanwatch.outbox WHERE channel = 'slow' AND status = 'delivered'")[0][0] < 20


def test_routing_goes_by_severity_model_and_event(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses
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
    halt(database)
    query("INSERT INTO loanwatch.model_metric (model_id, name, value) SELECT id, 'auc', 0.1 FROM loanwatch.ml_model")
    eventually(lambda: statuses() == {"delivered": 3})
    assert query(
        "SELECT channel, event FROM loanwatch.outbox JOIN loanwatch.alert ON alert.id = alert_id ORDER BY 1"
    ) == [("high", "halted"), ("model", None), ("rules", None)]


def test_what_waits_for_the_digest_comes_as_one_message(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses
):
    dispatching(make_settings({"c": channel("slack", digest_at="00:00")}))
    for number in range(60):
        halt(database, key=f"k{number}")
    halt(database, key="loud", severity=Severity.CRITICAL)
    eventually(lambda: statuses() == {"held": 60, "delivered": 1})
    query("UPDATE loanwatch.outbox SET next_attempt_at = now() WHERE status = 'held'")
    eventually(lambda: statuses() == {"digested": 60, "delivered": 2})
    assert "60 messages while it was quiet" in json.dumps(standin.record.posts[1]["blocks"])


def test_old_news_is_not_told_when_the_first_channel_is_set_up(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses
):
    old = halt(database, key="old")
    halt(database, key="still there")
    with database.connect() as connection:
        resolve(connection, old)
    query("UPDATE loanwatch.alert_change SET at = at - interval '3 days'")
    dispatching(make_settings({"c": channel("webhook")}))
    eventually(lambda: statuses() == {"skipped": 2, "delivered": 1})


@pytest.mark.parametrize("days", [-400, 400])
def test_jumps_of_the_clock_neither_lose_nor_double(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, days
):
    """A clock that jumps is, for the outbox, one whose every recorded time moved the other way."""
    settings = make_settings({"c": channel("slack"), "d": channel("webhook")})
    standin.fault = lambda _path: "500_after"
    first = dispatching(settings)
    for number in range(3):
        halt(database, key=f"k{number}")
    eventually(lambda: len({p["metadata"]["event_payload"]["delivery"] for p in standin.record.posts}) == 3)
    first.stop()
    times = ("next_attempt_at", "claimed_until", "created_at", "first_attempt_at")
    query("UPDATE loanwatch.outbox SET " + ", ".join(f"{name} = {name} + interval '{days} days'" for name in times))
    standin.fault = lambda _path: "ok"
    dispatching(settings)
    halt(database, key="after")
    eventually(lambda: statuses() == {"delivered": 8})
    keys = standin.record.delivered_keys()
    assert len(keys) == len(set(keys)) == 4


def test_once_delivers_what_is_due_and_ends(database, standin, channel, make_settings, statuses):
    for number in range(3):
        halt(database, key=f"k{number}")
    Dispatcher(make_settings({"c": channel("webhook")}), database).run_once()
    assert statuses() == {"delivered": 3}


def test_secrets_are_neither_in_the_outbox_nor_in_its_errors(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses
):
    standin.fault = lambda _path: "403"
    dispatching(make_settings({k: channel(k) for k in ("slack", "slack_webhook", "webhook")}))
    halt(database)
    eventually(lambda: statuses().get("failed", 0) >= 3)
    everything = str(query("SELECT * FROM loanwatch.outbox")) + str(query("SELECT * FROM loanwatch.alert"))
    for secret in ("xoxb-right", "secret-path", "hmac-secret"):
        assert secret not in everything


def test_a_lost_notification_is_made_up_for_by_the_sweep(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses
):
    query("DROP TRIGGER alert_change_wakes ON loanwatch.alert_change; DROP TRIGGER outbox_wakes ON loanwatch.outbox")
    dispatching(make_settings({"c": channel("webhook")}))
    halt(database)
    eventually(lambda: statuses() == {"delivered": 1}, seconds=5)


def test_waiting_times_that_are_over_are_taken_at_once(
    database, make_settings, channel, dispatching, query, eventually, statuses, standin
):
    standin.fault = lambda _path: "429:3000"
    dispatching(make_settings({"c": channel("webhook")}))
    halt(database)
    eventually(lambda: statuses() == {"pending": 1})
    (wait,) = query("SELECT next_attempt_at - clock_timestamp() FROM loanwatch.outbox")[0]
    assert timedelta(minutes=45) < wait < timedelta(minutes=60)
