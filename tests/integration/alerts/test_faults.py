"""Whatever a channel does, what is owed to it arrives once or is a dead letter that is told."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import time
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from alerts_standins import HttpStandIn

from loanwatch.alerts import list_alerts
from loanwatch.alerts.outbox import list_deliveries, redeliver
from loanwatch.errors import LoanwatchError

pytestmark = [  # slack_sdk leaves the sockets of refused calls to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def arrived(standin: HttpStandIn, kind: str) -> int:
    record = standin.record
    if kind == "slack":
        return len(record.posts)
    if kind == "webhook":
        return len({post["key"] for post in record.webhooks})
    return len(record.hooks)


FAULTS = ("ok", "429:1", "500", "drop", "drop_after", "500_after", "slow_after:1.5", "garbage", "408")
KINDS = ("slack", "slack_webhook", "webhook")
_TRIED_ONCE = "SELECT 1 FROM loanwatch.outbox WHERE status = 'pending' AND attempts = 1 AND last_error IS NOT NULL"


CASES = [
    case for case in product(KINDS, FAULTS) if case[1] != "garbage" or case[0] == "slack"
]  # elsewhere 200 is enough


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_every_passing_fault_ends_in_one_delivery(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, fault, halt, once
):
    once(fault)
    dispatching(make_settings({"c": channel(kind)}))
    halt()
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
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, fault, halt
):
    standin.fault = lambda _path: fault
    dispatching(make_settings({"c": channel(kind)}))
    halt()
    halt(key="other")
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
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, halt
):
    standin.fault = lambda _path: "404"
    dispatching(make_settings({"a": channel("webhook"), "b": channel("slack_webhook")}))
    halt()
    # two for the alert; one about each channel, on the other one
    eventually(lambda: statuses() == {"failed": 4})
    time.sleep(1)
    assert statuses() == {"failed": 4}
    assert query("SELECT count(*) FROM loanwatch.alert") == [(3,)]


def test_a_channel_that_works_again_closes_its_alert(
    database, standin, channel, make_settings, dispatching, eventually, query, halt, once
):
    once("404")
    dispatching(make_settings({"c": channel("webhook")}))
    for number in range(4):
        halt(key=f"k{number}")
    eventually(lambda: query("SELECT status FROM loanwatch.alert WHERE event = 'delivery_failed'") == [("resolved",)])


def test_after_too_many_attempts_it_is_a_dead_letter(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, halt
):
    standin.fault = lambda _path: "500"
    dispatching(make_settings({"c": channel("webhook")}, maximum_attempts=3))
    halt()
    eventually(lambda: statuses() == {"failed": 1})
    assert query("SELECT attempts, last_error FROM loanwatch.outbox") == [(3, "HTTP 500: oops")]


def test_redelivering_what_is_no_dead_letter_says_so(database):
    with database.connect() as connection, pytest.raises(LoanwatchError, match="delivery 5 is no dead letter"):
        redeliver(connection, delivery_id=5)


def test_nobody_listening_is_tried_again_until_somebody_does(
    database, channel, make_settings, dispatching, eventually, query, statuses, standin, halt
):
    standin.close()
    dispatching(make_settings({"c": channel("webhook")}))
    halt()
    eventually(lambda: query(_TRIED_ONCE))
    again = HttpStandIn(port=standin.port)
    eventually(lambda: statuses() == {"delivered": 1})
    assert len(again.record.webhooks) == 1
    again.close()


def test_an_untrusted_certificate_is_refused_and_a_trusted_one_taken(
    database, channel, make_settings, dispatching, eventually, statuses, query, tls_context, halt
):
    server = HttpStandIn(tls=tls_context)
    urls = {"webhook": server.url + "/hook", "slack_webhook": server.url + "/services/x"}
    channels = {f"bad {kind}": channel(kind, url=url) for kind, url in urls.items()}
    channels |= {
        f"good {kind}": channel(kind, url=url, ca_file=Path(__file__).parent / "tls" / "certificate.pem")
        for kind, url in urls.items()
    }
    dispatching(make_settings({name: {**c, "events": ["halted"]} for name, c in channels.items()}))
    halt()
    eventually(lambda: statuses() == {"delivered": 2, "failed": 2})
    assert query("SELECT DISTINCT channel LIKE 'bad%%', status FROM loanwatch.outbox ORDER BY 1") == [
        (False, "delivered"), (True, "failed")
    ]  # fmt: skip
    assert (
        "certificate is not trusted" in query("SELECT last_error FROM loanwatch.outbox WHERE status = 'failed'")[0][0]
    )
    server.close()


def test_a_slow_channel_holds_up_no_other(
    database, standin, channel, make_settings, dispatching, eventually, query, halt
):
    standin.fault = lambda path: "slow_after:0.9" if "/services/" in path else "ok"
    dispatching(make_settings({"slow": channel("slack_webhook"), "quick": channel("webhook")}))
    for number in range(20):
        halt(key=f"k{number}")
    eventually(lambda: len(standin.record.webhooks) == 20, seconds=5)
    assert query("SELECT count(*) FROM loanwatch.outbox WHERE channel = 'slow' AND status = 'delivered'")[0][0] < 20


def test_waiting_times_that_are_over_are_taken_at_once(
    database, make_settings, channel, dispatching, query, eventually, standin, halt
):
    standin.fault = lambda _path: "429:3000"
    dispatching(make_settings({"c": channel("webhook")}))
    halt()
    eventually(lambda: query(_TRIED_ONCE))
    (wait,) = query("SELECT next_attempt_at - clock_timestamp() FROM loanwatch.outbox")[0]
    assert timedelta(minutes=45) < wait < timedelta(minutes=60)


def test_secrets_are_neither_in_the_outbox_nor_in_its_errors(
    database, standin, channel, make_settings, dispatching, eventually, query, statuses, halt
):
    standin.fault = lambda _path: "403"
    dispatching(make_settings({k: channel(k) for k in ("slack", "slack_webhook", "webhook")}))
    halt()
    eventually(lambda: statuses().get("failed", 0) >= 3)
    everything = str(query("SELECT * FROM loanwatch.outbox")) + str(query("SELECT * FROM loanwatch.alert"))
    for secret in ("xoxb-right", "secret-path", "hmac-secret"):
        assert secret not in everything
