"""The alerts over HTTP: only for who is let in, with the caller's name in the history."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Header, HTTPException

from loanwatch.alerts import Event, open_alert
from loanwatch.alerts.http import alerts_router
from loanwatch.monitoring import Severity

RIGHT = {"Authorization": "Bearer right"}


@pytest.fixture
def client(database) -> Iterator[httpx.Client]:
    def actor(authorization: str = Header(default="")) -> str:
        if authorization != "Bearer right":
            raise HTTPException(401, "no")
        return "ada"

    application = FastAPI()
    application.include_router(alerts_router(database, actor=actor))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def alert(database) -> int:
    with database.connect() as connection:
        return open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key="k")


@pytest.mark.parametrize("path", ["/alerts", "/alerts/1", "/alert-rules", "/alert-deliveries"])
def test_nothing_is_shown_without_a_token(client, alert, path):
    assert client.get(path).status_code == 401
    assert client.get(path, headers=RIGHT).status_code == 200


@pytest.mark.parametrize("action", ["ack", "resolve", "mute", "unmute"])
def test_nothing_is_changed_without_a_token(client, alert, action, query):
    assert client.post(f"/alerts/{alert}/{action}", json={"hours": 1}).status_code == 401
    assert query("SELECT status, muted_until FROM loanwatch.alert") == [("open", None)]


def test_an_alert_is_listed_acknowledged_muted_and_resolved_in_the_callers_name(client, alert):
    assert [found["id"] for found in client.get("/alerts", headers=RIGHT).json()] == [alert]
    done = client.post(f"/alerts/{alert}/ack", headers=RIGHT, json={"note": "calling"})
    assert (done.status_code, done.json()["status"], done.json()["acknowledged_note"]) == (
        200,
        "acknowledged",
        "calling",
    )
    assert client.post(f"/alerts/{alert}/mute", headers=RIGHT, json={"hours": 2}).json()["is_muted"] is True
    assert client.post(f"/alerts/{alert}/unmute", headers=RIGHT).json()["is_muted"] is False
    assert client.post(f"/alerts/{alert}/resolve", headers=RIGHT).json()["status"] == "resolved"
    assert client.get("/alerts", headers=RIGHT).json() == []
    changes = client.get(f"/alerts/{alert}", headers=RIGHT).json()["changes"]
    assert [change["kind"] for change in changes] == ["opened", "acknowledged", "muted", "unmuted", "resolved"]
    assert {change["actor"] for change in changes[1:]} == {"ada"}


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/alerts/99/ack", {}, 404), ("/alerts/0/ack", {}, 422), ("/alerts/x/ack", {}, 422),
    ("/alerts/{}/mute", {}, 422), ("/alerts/{}/mute", {"hours": -1}, 422), ("/alerts/{}/mute", {"hours": 1e9}, 422),
    ("/alerts/{}/ack", {"other": 1}, 422), ("/alerts/{}/ack", {"note": "x" * 3000}, 422),
    ("/alerts/{}/unmute", {}, 409),
])  # fmt: skip
def test_what_cannot_be_done_is_refused_and_changes_nothing(client, alert, query, path, body, status):
    assert client.post(path.format(alert), headers=RIGHT, json=body).status_code == status
    assert query("SELECT kind FROM loanwatch.alert_change") == [("opened",)]


def test_acknowledging_twice_is_a_conflict(client, alert):
    assert client.post(f"/alerts/{alert}/ack", headers=RIGHT).status_code == 200
    assert client.post(f"/alerts/{alert}/ack", headers=RIGHT).status_code == 409
