"""Alerts and rules on the command line, for people and for machines."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from typer.testing import CliRunner

from loanwatch.alerts import Event, open_alert
from loanwatch.cli.alerts import actor_name
from loanwatch.cli.app import application
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity
from loanwatch.predictor.tokens import issue_token


@pytest.fixture
def command(database, tmp_path, monkeypatch, standin):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOANWATCH_DATABASE_URL", database.conninfo)
    (tmp_path / "loanwatch.toml").write_text(
        f'[channels.ops]\ntype = "slack"\nchannel = "C1"\napi_url = "{standin.url}/api/"\n'
        f'[channels.hook]\ntype = "webhook"\nurl = "{standin.url}/hook"\n'
    )
    monkeypatch.setenv("LOANWATCH_CHANNELS__OPS__TOKEN", standin.token)

    def run(*arguments: str):
        result = CliRunner().invoke(application(), [*arguments, *(["--json"] if "--json" not in arguments else [])])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def alert(database) -> int:
    with database.connect() as connection:
        return open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key="k")


def test_the_life_of_an_alert(command, alert):
    assert [found["id"] for found in command("alerts", "list")] == [alert]
    assert command("alerts", "list", "--severity", "low") == []
    number = str(alert)
    assert command("alerts", "ack", number, "--by", "ada", "--note", "calling")["acknowledged_by"] == "ada"
    assert command("alerts", "mute", number, "--for", "8h", "--by", "ada")["is_muted"] is True
    assert command("alerts", "unmute", number, "--by", "ada")["is_muted"] is False
    assert command("alerts", "resolve", number, "--by", "ada", "--note", "fixed")["resolution"] == "fixed"
    assert command("alerts", "list") == []
    assert len(command("alerts", "show", number)["changes"]) == 5


def test_the_life_of_a_rule(command):
    rule = command("rules", "add", "accuracy", "<", "0.85", "--severity", "high", "--model", "churn")
    assert (rule["metric"], rule["condition"], rule["threshold"], rule["model"]) == ("accuracy", "<", 0.85, "churn")
    assert command("rules", "change", str(rule["id"]), "--threshold", "0.8", "--disable")["enabled"] is False
    assert command("rules", "list")[0]["threshold"] == 0.8
    command("rules", "delete", str(rule["id"]), "--by", "bob", "--reason", "no longer measured")
    assert command("rules", "list") == []
    deleted, changed, added = command("rules", "history", str(rule["id"]))
    assert (added["kind"], added["after"]["threshold"], added["actor"]) == ("added", 0.85, actor_name())
    assert (changed["before"], changed["after"]) == (
        {"threshold": 0.85, "enabled": True}, {"threshold": 0.8, "enabled": False}
    )  # fmt: skip
    assert (deleted["kind"], deleted["actor"], deleted["reason"]) == ("deleted", "bob", "no longer measured")
    shown = CliRunner().invoke(application(), ["rules", "history"], env={"COLUMNS": "200"}).output
    assert "threshold 0.85 → 0.8" in " ".join(shown.split())


@pytest.mark.parametrize(("arguments", "message"), [
    (("alerts", "ack", "7"), "there is no alert 7"),
    (("alerts", "show", "7"), "there is no alert 7"),
    (("alerts", "mute", "7", "--for", "soon"), "not a length of time"),
    (("alerts", "redeliver",), "name one delivery"),
    (("alerts", "redeliver", "7"), "delivery 7 is no dead letter"),
    (("alerts", "test", "--channel", "nowhere"), "there is no channel 'nowhere'"),
    (("rules", "add", "auc", "~", "1"), "condition '~' is none of"),
])  # fmt: skip
def test_what_cannot_be_done_says_so_in_a_line(command, arguments, message):
    with pytest.raises(LoanwatchError, match=message):
        command(*arguments)


def test_what_was_done_before_says_by_whom_and_when(command, alert):
    number = str(alert)
    command("alerts", "ack", number, "--by", "ada")
    with pytest.raises(LoanwatchError, match=rf"alert {alert} was already acknowledged by ada at 20\d\d-"):
        command("alerts", "ack", number, "--by", "bob")
    command("alerts", "resolve", number, "--by", "ada")
    for action in ("ack", "resolve", "unmute"):
        with pytest.raises(LoanwatchError, match=rf"alert {alert} was already resolved by ada at 20\d\d-"):
            command("alerts", action, number)


@pytest.mark.parametrize(("toml", "later", "words"), [
    ("", True, "the database has migration 9999_later, which this release does not know"),
    ('[channels.x]\ntype = "slack"\nchannel = "C1"', False, "channels.x.slack.token"),
    ('[channels.x]\ntype = "pager"', False, "channels.x"),
    ('[channels.x]\ntype = "webhook"\nurl = "http://h"\nca_file = "nowhere.pem"', False, "channels.x.ca_file"),
])  # fmt: skip
def test_a_dispatcher_that_cannot_start_says_why_in_a_line(database, tmp_path, query, toml, later, words):
    (tmp_path / "loanwatch.toml").write_text(toml)
    if later:
        query("INSERT INTO loanwatch.migration (number, name, checksum) VALUES (9999, '9999_later', 'x')")
    done = subprocess.run(
        [sys.executable, "-m", "loanwatch", "dispatch"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, "LOANWATCH_DATABASE_URL": database.conninfo}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_test_message_goes_out_at_once_and_a_refusal_is_told(command, standin):
    assert command("alerts", "test", "--channel", "ops")["receipt"]["channel"] == "C1"
    assert "Test message" in standin.record.posts[0]["text"]
    standin.fault = lambda _path: "error:invalid_auth"
    with pytest.raises(LoanwatchError, match="Slack: invalid_auth"):
        command("alerts", "test", "--channel", "ops")


def test_dead_letters_are_listed_and_redelivered(command, alert, standin, statuses):
    runner = CliRunner()
    standin.fault = lambda _path: "404"
    assert runner.invoke(application(), ["dispatch", "--once"]).exit_code == 0
    failed = command("alerts", "deliveries", "--failed")
    assert {row["channel"] for row in failed} == {"ops", "hook"}
    assert command("alerts", "redeliver", "--all")["redelivered"] == len(failed)
    standin.fault = lambda _path: "ok"
    assert runner.invoke(application(), ["dispatch", "--once"]).exit_code == 0
    assert set(statuses()) == {"delivered"}


def test_the_dispatcher_answers_http_for_holders_of_a_token_and_ends_when_asked(
    command, database, alert, eventually, statuses, tmp_path
):
    with database.connect() as connection:
        token = issue_token(connection, name="ada", created_by="test")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "loanwatch", "dispatch", "--http", str(port)],
        cwd=tmp_path,
        env=os.environ,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: statuses() == {"delivered": 2}, seconds=60)
        url = f"http://127.0.0.1:{port}/alerts"
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(url, timeout=5)
            except urllib.error.HTTPError as error:
                error.close()
                answered = error.code
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert answered == 401
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [found["id"] for found in json.loads(answer.read())] == [alert]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0


def test_a_dispatcher_whose_port_is_taken_does_not_start(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(LoanwatchError, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use"):
            CliRunner().invoke(application(), ["dispatch", "--http", port], catch_exceptions=False)


def test_delivering_once_and_answering_http_exclude_each_other(command):
    with pytest.raises(LoanwatchError, match="leave one out"):
        CliRunner().invoke(application(), ["dispatch", "--once", "--http", "5199"], catch_exceptions=False)


def shown(*arguments: str, columns: str = "80") -> str:
    result = CliRunner().invoke(application(), arguments, env={"COLUMNS": columns}, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_list_of_alerts_fits_eighty_columns_and_names_the_model(command, database, query):
    (model_id,) = query("INSERT INTO loanwatch.ml_model (name, version, artifact_digest) VALUES ('churn', 3, 'x') "
                        "RETURNING id")[0]  # fmt: skip
    message = "the accuracy of the model fell, " * 9
    with database.connect() as connection:
        open_alert(connection, event=Event.MODEL_DRIFT, severity=Severity.HIGH, message=message, model_id=model_id)
    lines = shown("alerts", "list").splitlines()
    assert "churn v3" in lines[1]
    assert max(map(len, lines)) <= 80
    assert len(lines) < 8


@pytest.mark.parametrize(("arguments", "message"), [
    (("alerts", "list", "--severity", "urgent"), "severity 'urgent' is none of low, medium, high, critical"),
    (("alerts", "list", "--model", "churm"), "there is no model 'churm'"),
    (("alerts", "deliveries", "--channel", "opps"), r"there is no channel 'opps' \(set: hook, ops\)"),
    (("alerts", "redeliver", "--channel", "opps"), r"there is no channel 'opps' \(set: hook, ops\)"),
    (("rules", "add", "auc", "<", "1", "--severity", "urgent"), "severity 'urgent' is none of"),
])  # fmt: skip
def test_a_word_that_does_not_exist_is_refused_and_not_answered_with_an_empty_list(command, arguments, message):
    with pytest.raises(LoanwatchError, match=message):
        command(*arguments)


def test_a_channel_without_deliveries_has_an_empty_list(command):
    assert command("alerts", "deliveries", "--channel", "ops") == []


@pytest.mark.parametrize("threshold", ["-5", "-.5", "-1e-3"])
def test_a_rule_may_have_a_negative_threshold(command, threshold):
    rule = command("rules", "add", "profit", "<", threshold)
    assert rule["threshold"] == float(threshold)
    assert command("rules", "change", str(rule["id"]), "--threshold", "-7")["threshold"] == -7


def test_an_unknown_option_beside_a_negative_threshold_is_still_refused(command):
    result = CliRunner().invoke(application(), ["rules", "add", "profit", "<", "-5", "--severty", "high"])
    assert result.exit_code != 0
    assert "--severty" in result.output


def test_changing_a_rule_needs_a_change(command):
    rule = command("rules", "add", "auc", "<", "0.7")
    with pytest.raises(LoanwatchError, match="nothing to change was given: name --condition"):
        command("rules", "change", str(rule["id"]), "--reason", "why not")
    assert [change["kind"] for change in command("rules", "history")] == ["added"]


def test_the_same_rule_is_not_added_twice(command, query):
    query("INSERT INTO loanwatch.ml_model (name, version, artifact_digest) VALUES ('churn', 3, 'x')")
    for scope in ((), ("--model", "churn"), ("--model", "churn", "--version", "3")):
        rule = command("rules", "add", "auc", "<", "0.7", *scope)
        with pytest.raises(LoanwatchError, match=f"rule {rule['id']} is the same"):
            command("rules", "add", "auc", "<", "0.7", "--severity", "high", *scope)
        command("rules", "add", "auc", "<", "0.6", *scope)
    assert len(command("rules", "list")) == 6


def test_a_revoked_token_is_told_to_programs_too(command, database):
    with database.connect() as connection:
        issue_token(connection, name="ada", created_by="test")
    assert command("tokens", "revoke", "ada") == {"revoked": "ada"}
    assert command("tokens", "list") == []
