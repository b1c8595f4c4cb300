"""A dispatcher that is killed anywhere loses nothing, and doubles nothing where that can be known."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from loanwatch.alerts import Event, open_alert
from loanwatch.database import Database, EmbeddedServer, migrate
from loanwatch.monitoring import Severity
from loanwatch.settings import Settings

# Runs a dispatcher that kills itself, as `kill -9` would, when it comes to a named step.
_DYING = """
import os, signal, sys
from loanwatch.alerts import attempt, outbox, worker
from loanwatch.alerts.dispatcher import Dispatcher
from loanwatch.alerts.slack.bot import SlackBot
from loanwatch.alerts.slack.webhook import SlackWebhook
from loanwatch.alerts.webhook.transport import Webhook
from loanwatch.database import Database
from loanwatch.settings import Settings

def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(function):
    def wrapped(*arguments, **options):
        function(*arguments, **options)
        die()
    return wrapped

step = sys.argv[1]
ahead = float(sys.argv[3]) * 3600
if ahead:  # the clock of this machine is wrong, and so is whoever asks it
    import datetime, time
    right, real = time.time, datetime.datetime
    time.time = lambda: right() + ahead
    class Wrong(real):
        @classmethod
        def now(cls, tz=None):
            return real.fromtimestamp(time.time(), tz)
    datetime.datetime = Wrong
if step == "after claiming":
    worker.attempt = die
elif step == "before sending":
    for transport in (SlackBot, SlackWebhook, Webhook):
        transport.send = die
elif step == "after sending":
    for transport in (SlackBot, SlackWebhook, Webhook):
        transport.send = then_die(transport.send)
elif step == "while recording":
    attempt.settle_delivered = die
elif step == "after recording":
    attempt.settle_delivered = then_die(attempt.settle_delivered)
elif step == "after three":
    made, settle = [], attempt.settle_delivered
    def third(*arguments, **options):
        made.append(settle(*arguments, **options))
        if len(made) == 3:
            die()
        return made[-1]
    attempt.settle_delivered = third
elif step == "while routing":
    outbox.compose = die
Dispatcher(Settings.model_validate_json(sys.stdin.read()), Database(sys.argv[2])).run()
"""

STEPS = ("after claiming", "before sending", "after sending", "while recording", "after recording", "while routing")
QUICK = {("slack", "after sending"), ("slack_webhook", "while recording"), ("webhook", "after claiming")}
CASES = [
    case if case in QUICK else pytest.param(*case, marks=pytest.mark.deep)
    for case in product(("slack", "slack_webhook", "webhook"), STEPS)
]


def run_dying(settings: Settings, database: Database, step: str, *, hours_ahead: float = 0) -> int:
    values = settings.model_dump(mode="json", include={"home", "channels", "alerting"})
    for name, channel in settings.channels.items():  # a dump hides secrets
        for key in ("token", "url", "secret"):
            if hasattr(channel, key) and hasattr(getattr(channel, key), "get_secret_value"):
                values["channels"][name][key] = getattr(channel, key).get_secret_value()
    process = subprocess.run(
        [sys.executable, "-c", _DYING, step, database.conninfo, str(hours_ahead)],
        input=json.dumps(values).encode(),
        timeout=60,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return process.returncode


def halt(database: Database, key: str) -> None:
    with database.connect() as connection:
        open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key=key)


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_what_a_killed_dispatcher_left_is_delivered(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, step
):
    halt(database, "k")
    settings = make_settings({"c": channel(kind, timeout_seconds=0.3)})
    assert run_dying(settings, database, step) == -signal.SIGKILL
    dispatching(settings)
    eventually(lambda: statuses() == {"delivered": 1})
    record = standin.record
    sent = step in ("after sending", "while recording")
    if kind == "slack":
        assert len(record.posts) == 1
    elif kind == "webhook":
        assert len({request["key"] for request in record.webhooks}) == 1
        assert len(record.webhooks) == 1 + sent
    else:  # cannot be asked: the second one says what it may be
        assert len(record.hooks) == 1 + sent
        claimed = step not in ("after recording", "while routing")
        assert query("SELECT possible_repeat FROM loanwatch.outbox") == [(claimed,)]


@pytest.mark.parametrize("hours_ahead", [-7, 7])
def test_a_dispatcher_whose_clock_is_hours_off_neither_loses_nor_doubles(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, hours_ahead
):
    """Claims, leases and waiting times are the database's: they mean the same to every dispatcher."""
    settings = make_settings({"c": channel("slack", timeout_seconds=1)})
    for number in range(4):
        halt(database, f"k{number}")
    failures = iter(["500_after", "429:1"])
    standin.fault = lambda path: next(failures, "ok") if path.endswith("postMessage") else "ok"
    assert run_dying(settings, database, "after three", hours_ahead=hours_ahead) == -signal.SIGKILL
    assert run_dying(settings, database, "after claiming", hours_ahead=hours_ahead) == -signal.SIGKILL
    (lease,) = query("SELECT claimed_until - clock_timestamp() FROM loanwatch.outbox WHERE status = 'sending'")[0]
    assert lease < timedelta(seconds=5)
    halt(database, "after")
    dispatching(settings)
    eventually(lambda: statuses() == {"delivered": 5}, seconds=20)
    keys = standin.record.delivered_keys()
    assert len(keys) == len(set(keys)) == 5
    (times,) = query(
        "SELECT min(least(first_attempt_at, delivered_at)) > now() - interval '5 minutes', "
        "max(greatest(delivered_at, next_attempt_at)) < now() + interval '1 minute' FROM loanwatch.outbox"
    )
    assert times == (True, True)


def test_two_dispatchers_never_send_anything_twice(
    database, standin, channel, make_settings, dispatching, eventually, statuses
):
    settings = make_settings({"c": channel("slack"), "d": channel("slack_webhook")}, lease_seconds=60)
    for _ in range(2):
        dispatching(settings)

    def tell(part: int) -> None:
        for number in range(25):
            halt(database, f"k{part} {number}")

    threads = [threading.Thread(target=tell, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: statuses() == {"delivered": 200}, seconds=60)
    assert len(standin.record.posts) == len(set(standin.record.delivered_keys())) == 100
    assert len(standin.record.hooks) == 100


def test_a_database_that_restarts_in_the_middle_costs_nothing(
    tmp_path_factory, standin, channel, make_settings, dispatching, eventually
):
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-restart-"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "postgres", durable=False)
    try:
        own = Database(server.start())
        migrate(own)
        standin.fault = lambda _path: "slow_after:0.15"
        dispatching(make_settings({"c": channel("slack")}, lease_seconds=5), own)
        for number in range(12):
            halt(own, f"k{number}")
        eventually(lambda: len(standin.record.posts) >= 3)
        server.stop()
        standin.fault = lambda _path: "ok"
        server.start()
        halt(own, "after")

        def delivered() -> bool:
            with own.connect() as connection:
                return connection.execute(
                    "SELECT count(*) FILTER (WHERE status = 'delivered'), count(*) FROM loanwatch.outbox"
                ).fetchone() == (13, 13)

        eventually(delivered, seconds=40)
        assert len(standin.record.posts) == len(set(standin.record.delivered_keys())) == 13
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.mark.parametrize(("kind", "alerts"), [
    ("webhook", 1_000),
    pytest.param("webhook", 10_000, marks=pytest.mark.deep),
    pytest.param("slack", 10_000, marks=pytest.mark.deep),
])  # fmt: skip
def test_many_alerts_at_once_all_arrive(
    database, standin, channel, make_settings, dispatching, eventually, statuses, query, kind, alerts
):
    """Opened by one statement; 50 a second is the least that is allowed on a machine that does other things too."""
    query("INSERT INTO loanwatch.ml_model (name) VALUES ('m'); "
          "INSERT INTO loanwatch.alert_rule (metric, condition, threshold) "
          f"SELECT 'x' || n, '<', 1 FROM generate_series(1, {alerts}) n")  # fmt: skip
    dispatching(make_settings({"c": channel(kind, timeout_seconds=10)}, lease_seconds=60))
    query("INSERT INTO loanwatch.model_metric (model_id, name, value) "
          f"SELECT id, 'x' || n, 0 FROM loanwatch.ml_model, generate_series(1, {alerts}) n")  # fmt: skip
    eventually(lambda: statuses() == {"delivered": alerts}, seconds=max(60, alerts / 50))
    keys = standin.record.delivered_keys() if kind == "slack" else [post["key"] for post in standin.record.webhooks]
    assert len(set(keys)) == len(keys) == alerts
