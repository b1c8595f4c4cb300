"""Slack by bot: a thread an alert, and unknown outcomes looked up."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import time

import pytest

from loanwatch.alerts import acknowledge, resolve

pytestmark = [  # slack_sdk leaves the sockets of refused calls to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_slack_keeps_one_thread_an_alert_and_its_first_message_up_to_date(
    database, standin, channel, make_settings, dispatching, eventually, statuses, halt
):
    dispatching(make_settings({"c": channel("slack")}, public_url="https://lw.example"))
    alert = halt()
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
    database, standin, channel, make_settings, dispatching, eventually, statuses, gone, halt
):
    dispatching(make_settings({"c": channel("slack")}))
    alert = halt()
    eventually(lambda: statuses() == {"delivered": 1})
    standin.fault = lambda path: f"error:{gone}" if path.endswith("chat.update") else "ok"
    with database.connect() as connection:
        resolve(connection, alert)
    eventually(lambda: statuses() == {"delivered": 2})
    assert standin.record.posts[1].get("thread_ts") is None


def test_where_slack_does_not_let_us_look_the_repeat_is_marked(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, halt
):
    faults = iter(["500_after"])
    standin.fault = lambda path: (
        "error:missing_scope" if "conversations" in path else next(faults, "ok") if "post" in path else "ok"
    )
    dispatching(make_settings({"c": channel("slack")}))
    halt()
    eventually(lambda: statuses() == {"delivered": 1})
    assert query("SELECT possible_repeat FROM loanwatch.outbox") == [(True,)]
    assert "possibly a repeat" in json.dumps(standin.record.posts[-1]["blocks"])


def test_a_message_is_found_behind_many_others(
    database, standin, channel, make_settings, dispatching, eventually, statuses, halt, once
):
    once("drop_after", on="chat.postMessage")
    now = time.time()
    dispatcher_settings = make_settings({"c": channel("slack")}, retry_seconds=1)
    dispatching(dispatcher_settings)
    halt()
    eventually(lambda: len(standin.record.posts) == 1)
    for number in range(450):
        standin.record.posts.append({"ts": f"{now + 1:.0f}.{number:06d}", "text": "chat", "metadata": {}})
    eventually(lambda: statuses() == {"delivered": 1})
    assert [post for post in standin.record.posts if post["text"] != "chat"] == standin.record.posts[:1]
    assert standin.record.calls.count("/api/conversations.history") == 3
