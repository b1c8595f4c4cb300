"""The service as its users see it."""

import gzip
import json
import os
import signal
import socket
import threading
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from loanwatch.contract import default_contract
from loanwatch.features import clean, engineer
from loanwatch.predictor.scorer import rows_frame
from loanwatch.registry import rollback

EXAMPLE = {
    "loan_id": "d9dc2ce1-7a4c-4f0e-8f7f-5b1d6b1c9a01", "current_loan_amount": 14572, "term": "Short Term",
    "tax_liens": 0, "purpose": "Debt Consolidation", "no_of_properties": 1, "home_ownership": "Rent",
    "annual_income": 64000, "years_in_current_job": "3 years", "months_since_last_delinquent": None, "no_of_cars": 1,
    "no_of_children": 2, "credit_score": 690, "monthly_debt": "$1,580.03", "years_of_credit_history": 15.5,
    "no_of_open_accounts": 11, "no_of_credit_problems": 0, "current_credit_balance": 18000, "max_open_credit": 25000,
    "bankruptcies": 0,
}  # fmt: skip
CONTRACT = default_contract()
SHAPE = {"error", "message", "errors", "request_id"}
"""What the body of every error has."""


@pytest.fixture
def served(lender, serve):
    lender.deploy(lender.versions[0])
    return serve(lender)


def test_the_documented_example_gets_the_documented_answer(served, models):
    (answer,) = served.predict([EXAMPLE]).json()
    frame = engineer(clean(rows_frame([EXAMPLE], CONTRACT), CONTRACT).frame, CONTRACT)
    expected = models[0].score(frame)[0]
    assert answer == {
        "loan_id": EXAMPLE["loan_id"],
        "prediction": "loan given" if expected >= 0.5 else "loan refused",
        "probability": pytest.approx(expected, abs=1e-6),
        "model_version": 1,
    }
    assert served.predict({"X": [EXAMPLE]}).json() == [answer]


def test_ping_health_and_documentation_answer(served):
    with served.client as client:
        ping = client.get("/ping").json()
        assert ping["status"] == "ok"
        assert datetime.fromisoformat(ping["datetime"]).tzinfo is not None
        health = client.get("/health").json()
        assert (health["live"], health["ready"], health["model_version"]) == (True, True, 1)
        page = client.get("/docs")
        assert page.status_code == 200
        assert "POST" in page.text
        assert "credit_score" in page.text
        assert "/predict" in client.get("/openapi.json").json()["paths"]
        assert "loanwatch_predictor_requests_total" in client.get("/metrics").text


def test_many_applications_get_the_scores_they_get_alone(served):
    rows = [{**EXAMPLE, "loan_id": str(n), "credit_score": 400 + n} for n in range(300)]
    together = served.predict(rows).json()
    assert [a["loan_id"] for a in together] == [str(n) for n in range(300)]
    for n in (0, 150, 299):
        assert served.predict([rows[n]]).json()[0]["probability"] == pytest.approx(together[n]["probability"], abs=1e-9)


def test_reasons_are_given_when_asked_for(served):
    (answer,) = served.predict([{**EXAMPLE, "credit_score": 400}], params={"explain": "true"}).json()
    assert 1 <= len(answer["reasons"]) <= 4
    codes = {c.told_reason.code for c in CONTRACT.predictors}
    assert {reason["code"] for reason in answer["reasons"]} <= codes
    assert "reasons" not in served.predict([EXAMPLE], params={"explain": "false"}).json()[0]
    assert served.predict([EXAMPLE], params={"explain": "maybe"}).json()["errors"][0]["field"] == "explain"


def test_every_answer_has_an_id_and_says_what_browsers_must_not_do(served):
    for response in (served.predict([EXAMPLE]), httpx.get(f"{served.address}/nothing"), served.predict([])):
        assert response.headers["x-request-id"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "server" not in response.headers
    mine = served.predict([EXAMPLE], headers={"X-Request-ID": "my-request.1"})
    assert mine.headers["x-request-id"] == "my-request.1"
    assert served.predict([EXAMPLE], headers={"X-Request-ID": "no id: {}"}).headers["x-request-id"] != "no id: {}"


def test_every_error_has_one_shape(served):
    with served.client as client:
        responses = [
            client.get("/nothing"),
            client.delete("/ping"),
            client.get("/predict"),
            client.post("/predict", content=b"no json", headers={"Content-Type": "application/json"}),
            client.post("/predict", content=b"[]", headers={"Content-Type": "text/plain"}),
            client.post("/predict", json=[{"loan_id": "a", "annual_income": -1}]),
            client.post("/predict", content=b" " * 9_000_000, headers={"Content-Type": "application/json"}),
        ]
    assert [r.status_code for r in responses] == [404, 405, 405, 422, 415, 422, 413]
    for response in responses:
        assert set(response.json()) == SHAPE
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert all(set(error) == {"row", "field", "expected"} for error in response.json()["errors"])
    assert responses[5].json()["errors"][0]["field"] == "annual_income"


def test_nothing_is_scored_where_one_row_is_bad(served, lender):
    assert served.predict([EXAMPLE, {"loan_id": "b", "term": 7}]).status_code == 422
    assert served.stop() == 0
    assert lender.query("SELECT count(*) FROM loanwatch.prediction") == [(0,)]


def test_fifty_megabytes_are_refused_and_the_service_goes_on(served):
    body = b"[" + b'{"loan_id": "a"},' * 3_000_000 + b"]"
    response = httpx.post(
        f"{served.address}/predict", content=body, headers={"Content-Type": "application/json"}, timeout=30
    )
    assert response.status_code == 413
    assert served.predict([EXAMPLE]).status_code == 200


def test_gzip_is_understood_and_its_bombs_are_not(served):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with served.client as client:
        packed = client.post("/predict", content=gzip.compress(json.dumps([EXAMPLE]).encode()), headers=headers)
        bomb = client.post("/predict", content=gzip.compress(bytes(100_000_000)), headers=headers)
    assert packed.status_code == 200
    assert bomb.status_code == 413


def raw_answer(served, sent, seconds):
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(sent)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


def test_a_client_that_never_finishes_is_hung_up_on(lender, serve):
    lender.deploy(lender.versions[0])
    served = serve(lender, "--body-timeout", "0.5")
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n["
    answer = raw_answer(served, head, 10)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error":"timeout"' in answer
    half_a_head = raw_answer(served, b"POST /predict HTTP/1.1\r\nHost: x\r\n", 15)
    assert half_a_head.startswith(b"HTTP/1.1 408")
    assert set(json.loads(half_a_head.partition(b"\r\n\r\n")[2])) == SHAPE
    assert raw_answer(served, b"", 15) == b""


def send_headers(connection, count):
    for number in range(count):
        connection.sendall(b"X-%d: " % number + b"x" * 1_000 + b"\r\n")
        time.sleep(0.0005)


def test_headers_without_end_are_not_collected(served):
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError, match=r"reset|Broken pipe|aborted"):
            send_headers(connection, 3_000)
    assert served.predict([EXAMPLE]).status_code == 200


def test_what_is_no_http_gets_an_error_of_the_same_shape(served):
    answer = raw_answer(served, b"HELLO\r\n\r\n", 10)
    assert answer.startswith(b"HTTP/1.1 400")
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == SHAPE
    assert b"x-content-type-options: nosniff" in answer


def test_without_a_model_it_says_so_until_one_is_deployed(lender, serve, until):
    served = serve(lender, ready=False)
    until(lambda: "deployed" in served.predict([EXAMPLE]).json()["message"])
    refused = served.predict([EXAMPLE])
    assert (refused.status_code, refused.json()["error"]) == (503, "no_model")
    assert httpx.get(f"{served.address}/health/live").status_code == 200
    assert httpx.get(f"{served.address}/health").json()["ready"] is False
    lender.deploy(lender.versions[0])
    until(lambda: served.predict([EXAMPLE]).status_code == 200)


class Askers:
    """Clients that ask without a pause, each time on a new connection, so that all workers are asked."""

    def __init__(self, served, models, count=3):
        self._served = served
        frame = engineer(clean(rows_frame([EXAMPLE], CONTRACT), CONTRACT).frame, CONTRACT)
        self._expected = {number: model.score(frame)[0] for number, model in enumerate(models, start=1)}
        self.seen, self.failures = [], []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(rows,)) for rows in (1, 2, 150)[:count]]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, count):
        rows = [{**EXAMPLE, "loan_id": str(number)} for number in range(count)]
        while not self._stop.is_set():
            asked = time.monotonic()
            response = self._served.predict(rows)
            if response.status_code != 200:
                self.failures.append(response.text)
                return
            versions = {answer["model_version"] for answer in response.json()}
            if len(versions) != 1:
                self.failures.append(versions)
            version = versions.pop()
            if any(abs(answer["probability"] - self._expected[version]) > 1e-6 for answer in response.json()):
                self.failures.append(f"not the probability of version {version}")
            self.seen.append((asked, time.monotonic(), version))


@pytest.mark.parametrize(("workers", "swaps"), [(2, 2), pytest.param(3, 12, marks=pytest.mark.deep)])
def test_a_swap_reaches_all_workers_in_two_seconds_and_no_request_fails(lender, serve, models, workers, swaps):
    lender.deploy(lender.versions[0])
    served = serve(lender, "--workers", str(workers))
    changes = [(time.monotonic(), 1)]
    with Askers(served, models) as askers:
        for swap in range(swaps):
            time.sleep(0.4)
            begun = time.monotonic()
            if swap % 2 == 0:
                lender.deploy(lender.versions[1])
            else:
                with lender.database.connect() as connection:
                    rollback(connection, CONTRACT.name, reason="test", actor="test")
            changes.append((begun, 2 - swap % 2))
            time.sleep(2.5)
    assert askers.failures == []
    ends = [begun for begun, _ in changes[1:]] + [float("inf")]
    for (begun, version), end in zip(changes, ends, strict=True):
        late = {of for asked, answered, of in askers.seen if begun + 2 < asked and answered < end}
        assert late <= {version}
        assert late or end - begun < 2.5
    assert len(askers.seen) > 10 * swaps


@pytest.mark.parametrize("damage", ["changed", "missing", "useless"])
def test_a_broken_model_is_not_taken_and_an_alert_says_so(lender, serve, models, damage, until):
    lender.deploy(lender.versions[0])
    served = serve(lender)
    before = served.predict([EXAMPLE]).json()
    if damage == "useless":  # its files are what was registered, and no model
        broken = lender.register(_Useless(models[1]))
    else:
        broken = lender.versions[1]
        (file,) = lender.home.glob(f"models/*/{broken.digest[:16]}/model.onnx")
        if damage == "missing":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes() + b"\0")
    lender.deploy(broken)
    until(lambda: lender.query("SELECT 1 FROM loanwatch.alert WHERE status = 'open'"))
    assert served.predict([EXAMPLE]).json() == before
    ((event, severity, message),) = lender.query("SELECT event, severity, message FROM loanwatch.alert")
    assert (event, severity) == ("model_unusable", "high")
    assert f"v{broken.version}" in message
    time.sleep(1.5)
    assert lender.query("SELECT count(*) FROM loanwatch.alert") == [(1,)]
    good = lender.register(models[1])
    lender.deploy(good)
    until(lambda: served.predict([EXAMPLE]).json()[0]["model_version"] == good.version)
    until(lambda: lender.query("SELECT status FROM loanwatch.alert") == [("resolved",)])


def test_a_rollback_from_a_broken_model_closes_its_alert(lender, serve, models, until):
    lender.deploy(lender.versions[0])
    served = serve(lender, "--workers", "2")
    lender.deploy(lender.register(_Useless(models[1])))
    until(lambda: lender.query("SELECT 1 FROM loanwatch.alert WHERE status = 'open'"))
    with lender.database.connect() as connection:
        rollback(connection, CONTRACT.name, reason="test", actor="test")
    until(lambda: lender.query("SELECT event, status FROM loanwatch.alert") == [("model_unusable", "resolved")])
    assert served.predict([EXAMPLE]).json()[0]["model_version"] == 1


def test_a_service_that_starts_under_a_broken_model_goes_on_with_the_one_before(lender, serve, models, until):
    lender.deploy(lender.versions[0])
    assert serve(lender).stop() == 0
    lender.deploy(lender.register(_Useless(models[1])))
    served = serve(lender)
    assert served.predict([EXAMPLE]).json()[0]["model_version"] == 1
    until(lambda: lender.query("SELECT event, status FROM loanwatch.alert") == [("model_unusable", "open")])


def test_a_service_without_a_model_raises_one_alert_that_a_deployment_closes(lender, serve, until):
    serve(lender, "--workers", "2", ready=False)
    told = "SELECT event, severity, status FROM loanwatch.alert"
    until(lambda: lender.query(told))
    time.sleep(2)  # both workers have noticed
    assert lender.query(told) == [("predictor_without_model", "critical", "open")]
    lender.deploy(lender.versions[0])
    until(lambda: lender.query(told) == [("predictor_without_model", "critical", "resolved")])
    assert lender.query("SELECT resolution FROM loanwatch.alert") == [("loan_eligibility v1 is in use",)]


class _Useless:
    """Saves files of which the graph is none."""

    def __init__(self, model):
        self._model = model

    def to_files(self):
        return {**self._model.to_files(), "model.onnx": b"no graph"}


def test_a_worker_that_dies_is_replaced(lender, serve, until):
    lender.deploy(lender.versions[0])
    served = serve(lender, "--workers", "2")
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
    workers = [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: "replaced" in served.log.read_text())
    assert all(served.predict([EXAMPLE]).status_code == 200 for _ in range(10))
    assert served.stop() == 0


def test_the_log_names_requests_and_holds_no_applicant(served):
    served.predict([{**EXAMPLE, "purpose": "a very private purpose"}], headers={"X-Request-ID": "seen-in-log"})
    served.predict([{**EXAMPLE, "term": 5}])
    served.stop()
    log = served.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    request = next(line for line in lines if line.get("request_id") == "seen-in-log")
    assert (request["path"], request["status"], request["rows"]) == ("/predict", 200, 1)
    assert "private purpose" not in log
    assert EXAMPLE["loan_id"] not in log
