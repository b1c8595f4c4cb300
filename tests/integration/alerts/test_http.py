"""The alerts over HTTP: only for who is let in, with the caller's name in the history."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Header, HTTPException

from loanwatch.alerts import Event, open_alert
from loanwatch.alerts.http import alerts_router
from loanwatch.alerts.http_service import alerts_service
from loanwatch.database import Database
from loanwatch.errors import DatabaseUnavailableError
from loanwatch.monitoring import Severity
from loanwatch.predictor.access import Doorkeeper
from loanwatch.predictor.tokens import issue_token, revoke_token
from loanwatch.web.problem import Problem

RIGHT = {"Authorization": "Bearer right"}


@pytest.fixture
def client(database) -> Iterator[httpx.Client]:
    def actor(authorization: str = Header(default="")) -> str:
        if authorization != "Bearer right":
            raise HTTPException(401, "no")
        return "ada"

    application = FastAPI()
    application.include_router(alerts_router(database, actor=actor))
    with served(application) as client:
        yield client


@contextmanager
def served(application: Any) -> Iterator[httpx.Client]:
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


@pytest.mark.parametrize("path", ["/alerts?model=%00", "/alerts?event=%00", "/alert-deliveries?status=lost"])
def test_a_filter_that_nothing_can_match_is_refused(client, path):
    assert client.get(path, headers=RIGHT).status_code == 422


def right_only(authorization: bytes) -> str:
    if authorization != b"Bearer right":
        raise Problem(401, "unauthorized", "a valid access token is needed")
    return "ada"


@pytest.fixture
def service(database) -> Iterator[httpx.Client]:
    with served(alerts_service(database, caller=right_only, body_timeout_seconds=0.5)) as client:
        yield client


def test_the_service_knows_the_caller_and_keeps_the_name(service, alert):
    assert service.post(f"/alerts/{alert}/ack", headers=RIGHT, json={"note": "calling"}).status_code == 200
    assert service.get(f"/alerts/{alert}", headers=RIGHT).json()["acknowledged_by"] == "ada"


@pytest.mark.parametrize(("action", "body", "words"), [
    ("ack", rb'{"note": "a\u0000b"}', "body.note"), ("ack", rb'{"note": "\ud800"}', "body.note"),
    ("mute", b'{"hours": NaN}', "body.hours"), ("mute", b'{"hours": 1e999}', "body.hours"),
    ("ack", rb'{"\ud800": 1}', "body"), ("ack", b"{", "body"), ("ack", b"[" * 60_000, "body"), ("ack", b"\xff", ""),
])  # fmt: skip
def test_what_no_table_can_hold_is_refused_in_one_sentence(service, alert, query, action, body, words):
    headers = {**RIGHT, "Content-Type": "application/json"}
    answer = service.post(f"/alerts/{alert}/{action}", headers=headers, content=body)
    assert answer.status_code in {400, 422}
    assert words in str(answer.json())
    assert query("SELECT status, muted_until FROM loanwatch.alert") == [("open", None)]


def spoken(service: httpx.Client, head: str, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send a request by hand, whatever is answered meanwhile; return the answer."""
    with socket.create_connection((service.base_url.host, service.base_url.port or 80), timeout=10) as connection:
        connection.sendall(f"{head}\r\nHost: x\r\nContent-Type: application/json\r\n".encode())
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            pass
        return connection.recv(65_536)


def test_who_has_no_token_is_refused_before_the_body_is_read(service, alert):
    answer = spoken(service, f"POST /alerts/{alert}/ack HTTP/1.1", b"Content-Length: 1000000000\r\n\r\n", b"{")
    assert answer.startswith(b"HTTP/1.1 401")


def test_a_body_without_end_is_refused(service, alert):
    head = f"POST /alerts/{alert}/ack HTTP/1.1\r\nAuthorization: Bearer right"
    answer = spoken(service, head, b"Content-Length: 1000000000\r\n\r\n", *[b" " * 10_000] * 10)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(service, alert):
    head = f"POST /alerts/{alert}/ack HTTP/1.1\r\nAuthorization: Bearer right"
    assert spoken(service, head, b"Content-Length: 10\r\n\r\n{").startswith(b"HTTP/1.1 408")


def test_half_a_request_changes_nothing(service, alert, query):
    with socket.create_connection((service.base_url.host, service.base_url.port or 80)) as connection:
        connection.sendall(
            f"POST /alerts/{alert}/resolve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\n"
            "Content-Length: 10\r\n\r\n".encode()
        )
        time.sleep(0.2)
    time.sleep(0.3)
    assert query("SELECT status FROM loanwatch.alert") == [("open",)]


def lost(_authorization: bytes) -> str:
    raise DatabaseUnavailableError("away")


@pytest.mark.parametrize("caller", [lost, right_only])
def test_a_database_that_is_away_is_said(caller: Callable[[bytes], str]):
    nowhere = Database("host=127.0.0.1 port=1 user=x dbname=x")
    with served(alerts_service(nowhere, caller=caller)) as client:
        answer = client.get("/alerts", headers=RIGHT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"] == "database_away"
    assert answer.json()["message"] == "the database cannot be reached at the moment"


@pytest.mark.parametrize(("method", "path", "headers", "status", "code"), [
    ("GET", "/alerts", {}, 401, "unauthorized"), ("GET", "/nothing", RIGHT, 404, "not_found"),
    ("DELETE", "/alerts", RIGHT, 405, "method_not_allowed"), ("GET", "/alerts/99", RIGHT, 404, "not_found"),
    ("GET", "/alerts?limit=x", RIGHT, 422, "invalid_input"), ("POST", "/alerts/{}/unmute", RIGHT, 409, "conflict"),
    ("POST", "/alerts/{}/ack", {**RIGHT, "Sec-Fetch-Site": "cross-site"}, 403, "forbidden"),
])  # fmt: skip
def test_errors_have_the_predictors_shape_and_every_answer_its_headers(
    service, alert, method, path, headers, status, code
):
    answer = service.request(method, path.format(alert), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) == {"error", "message", "errors", "request_id"}
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    for name, value in (("x-content-type-options", "nosniff"), ("cache-control", "no-store")):
        assert answer.headers[name] == value
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers.get_list("content-security-policy")[1:] == []


def test_a_fault_of_ours_is_answered_without_its_details(database):
    def broken(_authorization: bytes) -> str:
        raise RuntimeError("password=hunter2")

    with served(alerts_service(database, caller=broken)) as client:
        answer = client.get("/alerts", headers=RIGHT)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "hunter2" not in answer.text


def test_a_token_may_ask_so_often_and_one_that_is_revoked_not_at_all(database, eventually):
    with database.connect() as connection:
        token = issue_token(connection, name="ada", created_by="test", requests_per_minute=60)
    headers = {"Authorization": f"Bearer {token}"}
    with closing(Doorkeeper(database)) as caller, served(alerts_service(database, caller=caller)) as client:
        answers = [client.get("/alerts", headers=headers) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert answers[-1].json()["error"] == "too_many_requests"
        assert int(answers[-1].headers["retry-after"]) >= 1
        with database.connect() as connection:
            revoke_token(connection, name="ada")
        eventually(lambda: client.get("/alerts", headers=headers).status_code == 401)
