"""Who follows the link of a message finds out what the alert is and can acknowledge it."""

# ruff: noqa: PLR0917  (pytest fills in fixtures by name)

import re
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from loanwatch.alerts import Event, open_alert
from loanwatch.alerts.http_service import alerts_service
from loanwatch.database import Database
from loanwatch.monitoring import Severity
from loanwatch.web.problem import Problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
MESSAGE = "<script>alert('x')</script> monthly debt is 100 times larger"


def right_only(authorization: bytes) -> str:
    if authorization != b"Bearer right":
        raise Problem(401, "unauthorized", "a valid access token is needed")
    return "ada"


@pytest.fixture
def start() -> Iterator:
    running = []

    def run(database: Database) -> httpx.Client:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(alerts_service(database, caller=right_only), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = httpx.Client(base_url=address, trust_env=False, headers=BROWSER)
        running.append((client, server, thread, listener))
        return client

    yield run
    for client, server, thread, listener in running:
        client.close()
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def browser(start, database) -> httpx.Client:
    return start(database)


@pytest.fixture
def alert(database) -> int:
    with database.connect() as connection:
        return open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message=MESSAGE, dedup_key="k")


def kinds(query) -> list[str]:
    return [kind for (kind,) in query("SELECT kind FROM loanwatch.alert_change ORDER BY id")]


def test_the_link_opens_a_page_that_says_how_to_acknowledge_and_changes_nothing(browser, alert, query):
    page = browser.get(f"/alerts/{alert}")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert '<form method="post">' in page.text
    assert f"loanwatch alerts ack {alert}" in page.text
    assert kinds(query) == ["opened"]


def test_without_a_token_the_page_is_the_same_for_every_number(browser, alert):
    shown, other = browser.get(f"/alerts/{alert}"), browser.get("/alerts/424242")
    assert "monthly debt" not in shown.text
    assert re.sub(r"\d+", "N", shown.text) == re.sub(r"\d+", "N", other.text)


def test_a_program_still_gets_json(browser, alert):
    headers = {"Accept": "application/json", "Authorization": "Bearer right"}
    assert browser.get(f"/alerts/{alert}", headers=headers).json()["id"] == alert
    assert browser.get(f"/alerts/{alert}", headers={"Accept": "*/*"}).json()["error"] == "unauthorized"


def test_the_form_acknowledges_in_the_name_of_the_token(browser, alert, query):
    page = browser.post(f"/alerts/{alert}", data={"token": "right", "note": "I am <calling>", "do": "acknowledge"})
    assert page.status_code == 200
    assert "Acknowledged by ada." in page.text
    assert "I am &lt;calling&gt;" in page.text
    assert query("SELECT status, acknowledged_by, acknowledged_note FROM loanwatch.alert") == [
        ("acknowledged", "ada", "I am <calling>")
    ]
    again = browser.post(f"/alerts/{alert}", data={"token": "right", "do": "acknowledge"})
    assert again.status_code == 409
    assert "already acknowledged by ada" in again.text
    assert "<form" not in again.text


def test_what_the_alert_says_is_shown_to_the_holder_of_a_token_and_escaped(browser, alert, query):
    page = browser.post(f"/alerts/{alert}", data={"token": "right", "do": "show"})
    assert "Run halted by data quality" in page.text
    assert "monthly debt is 100 times larger" in page.text
    assert "<script>" not in page.text
    assert "right" not in page.text
    assert kinds(query) == ["opened"]


def test_a_proxy_that_lets_people_in_needs_no_second_token(browser, alert, query):
    headers = {"Authorization": "Bearer right"}
    page = browser.get(f"/alerts/{alert}", headers=headers)
    assert "monthly debt is 100 times larger" in page.text
    assert 'name="token"' not in page.text
    foreign = browser.post(
        f"/alerts/{alert}", headers={**headers, "Sec-Fetch-Site": "cross-site"}, data={"do": "acknowledge"}
    )
    assert foreign.status_code == 403
    assert kinds(query) == ["opened"]
    own = {**headers, "Sec-Fetch-Site": "same-origin"}
    assert browser.post(f"/alerts/{alert}", headers=own, data={"do": "acknowledge"}).status_code == 200
    assert kinds(query) == ["opened", "acknowledged"]


@pytest.mark.parametrize("form", [
    {}, {"token": "wrong", "do": "acknowledge"}, {"token": "\N{LATIN SMALL LETTER E WITH ACUTE}", "do": "acknowledge"},
])  # fmt: skip
def test_a_wrong_token_is_said_on_the_page_and_not_repeated(browser, alert, query, form):
    page = browser.post(f"/alerts/{alert}", data=form)
    assert page.status_code == 401
    assert "no valid access token" in page.text
    assert "<form" in page.text
    assert "wrong" not in page.text
    assert kinds(query) == ["opened"]


@pytest.mark.parametrize(("number", "form", "status"), [
    ("424242", {"do": "acknowledge"}, 404), ("{}", {"do": "acknowledge", "note": "x" * 3_000}, 422),
    ("{}", {"do": "acknowledge", "note": "a\0b"}, 422), ("9999999999999999999", {}, 422), ("0", {}, 422),
])  # fmt: skip
def test_what_cannot_be_done_changes_nothing(browser, alert, query, number, form, status):
    assert browser.post(f"/alerts/{number.format(alert)}", data={"token": "right", **form}).status_code == status
    assert kinds(query) == ["opened"]


def test_the_page_runs_no_script_loads_nothing_and_is_not_kept(browser, alert):
    headers = browser.get(f"/alerts/{alert}").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_a_database_that_is_away_is_said_on_the_page(start):
    browser = start(Database("host=127.0.0.1 port=1 user=x dbname=x"))
    assert browser.get("/alerts/1").status_code == 200
    page = browser.post("/alerts/1", data={"token": "right", "do": "show"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "the database cannot be reached at the moment" in page.text
