"""Stand-ins for the channels, and a dispatcher that runs beside the test."""

import gc
import ssl
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loanwatch.alerts import Event, open_alert
from loanwatch.alerts.dispatcher import Dispatcher
from loanwatch.database import Database
from loanwatch.monitoring import Severity
from loanwatch.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from alerts_standins import HttpStandIn

TLS = Path(__file__).parent / "tls"


@pytest.fixture
def standin() -> Iterator[HttpStandIn]:
    server = HttpStandIn()
    yield server
    server.close()


@pytest.fixture
def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context


@pytest.fixture
def channel(standin: HttpStandIn) -> Callable[..., dict[str, Any]]:
    """Settings of a channel that leads to the stand-in."""

    def build(kind: str, **changes: Any) -> dict[str, Any]:
        known: dict[str, dict[str, Any]] = {
            "slack": {"token": standin.token, "channel": "C1", "api_url": standin.url + "/api/"},
            "slack_webhook": {"url": standin.url + "/services/T/B/secret-path"},
            "webhook": {"url": standin.url + "/hook", "secret": "hmac-secret"},
        }
        return {"type": kind, "timeout_seconds": 1, **known.get(kind, {}), **changes}

    return build


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    def build(channels: dict[str, dict[str, Any]], **alerting: Any) -> Settings:
        quick = {"sweep_seconds": 0.2, "lease_seconds": 1, "retry_seconds": 0.05}
        return Settings(home=tmp_path / "home", channels=channels, alerting={**quick, **alerting})

    return build


@pytest.fixture
def dispatching(database: Database) -> Iterator[Callable[[Settings], Dispatcher]]:
    """Start dispatchers that end with the test."""
    running: list[tuple[Dispatcher, threading.Thread]] = []

    def start(settings: Settings, on: Database = database) -> Dispatcher:
        dispatcher = Dispatcher(settings, on)
        thread = threading.Thread(target=dispatcher.run)
        thread.start()
        running.append((dispatcher, thread))
        return dispatcher

    yield start
    for dispatcher, _ in running:
        dispatcher.stop()
    for _, thread in running:
        thread.join()
    running.clear()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # slack_sdk leaves the sockets of refused calls to the collector
        gc.collect()


@pytest.fixture
def halt(database: Database) -> Callable[..., int]:
    """Open the alert of a halted run."""

    def run(*, key: str = "k", message: str = "m", severity: Severity = Severity.HIGH) -> int:
        with database.connect() as connection:
            return open_alert(connection, event=Event.HALTED, severity=severity, message=message, dedup_key=key)

    return run


@pytest.fixture
def once(standin: HttpStandIn) -> Callable[..., None]:
    """Have the stand-in fail the first requests, then behave."""

    def arrange(fault: str, *, on: str = "", times: int = 1) -> None:
        left = [times]

        def choose(path: str) -> str:
            if on in path and left[0] > 0:
                left[0] -= 1
                return fault
            return "ok"

        standin.fault = choose

    return arrange


@pytest.fixture
def query(database: Database) -> Callable[..., list[Any]]:
    def run(statement: str, *values: object) -> list[Any]:
        with database.connect() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until something holds; fail with what it was last."""

    def wait(condition: Callable[[], Any], *, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def statuses(query: Callable[..., list[Any]]) -> Callable[[], dict[str, int]]:
    return lambda: dict(query("SELECT status, count(*) FROM loanwatch.outbox GROUP BY status"))
