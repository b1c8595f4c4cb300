"""One worker's service without a server around it: what it does when something behind it fails."""

import asyncio
import time
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest

from loanwatch.errors import StorageError
from loanwatch.predictor.access import Gate
from loanwatch.predictor.app import inner_app
from loanwatch.predictor.metrics import Metrics
from loanwatch.predictor.requests import RequestReader
from loanwatch.predictor.service import Service
from loanwatch.predictor.spool import Spool
from loanwatch.web.body import BodyLimits
from loanwatch.web.rate_limit import RateLimiter


@pytest.fixture
def service(tmp_path, contract, boosting_scorer):
    watcher = SimpleNamespace(scorer=boosting_scorer, tokens=None, reason="")
    spool = Spool(tmp_path / "spool")
    metrics = Metrics(tmp_path / "counts", worker=0, contract=contract)
    with closing(RateLimiter(tmp_path / "rates")) as limiter:
        yield Service(
            inner=inner_app(contract, watcher=watcher, spool=spool, metrics=metrics, max_rows=100, tokens=False),
            reader=RequestReader(contract, max_rows=100),
            limits=BodyLimits(max_bytes=100_000, timeout_seconds=5),
            watcher=watcher,
            spool=spool,
            shipper=None,
            metrics=metrics,
            gate=Gate(tokens=False, requests_per_minute=60, limiter=limiter),
        )


def ask(service, *requests):
    async def all_of_them():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://service") as client:
            return await asyncio.gather(*(client.request(method, path, **how) for method, path, how in requests))

    return asyncio.run(all_of_them())


def post(rows, path="/predict"):
    return "POST", path, {"json": rows}


def lines(service):
    return b"".join(segment.read(1 << 20) for segment in service.spool.waiting()).splitlines()


def test_the_decision_is_on_disk_when_the_answer_is_there(service):
    (answer,) = ask(service, post([{"loan_id": "a"}, {"loan_id": "b"}]))
    assert answer.status_code == 200
    assert len(lines(service)) == 2


def test_where_decisions_cannot_be_recorded_none_is_made(service, monkeypatch):
    def full(_lines):
        raise StorageError("the disk is full: /secret/place")

    monkeypatch.setattr(service.spool, "append", full)
    (answer,) = ask(service, post([{"loan_id": "a"}]))
    assert (answer.status_code, answer.json()["error"]) == (503, "cannot_remember")
    assert "retry-after" in answer.headers
    assert "/secret/place" not in answer.text


def test_a_fault_of_ours_is_answered_without_its_details(service, monkeypatch, capsys):
    def broken(_body):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(service.reader, "read", broken)
    (answer,) = ask(service, post([{"loan_id": "a"}]))
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_an_answer_comes_from_the_model_of_its_beginning(service, boosting_scorer, monkeypatch):
    read = service.reader.read

    def swapped_meanwhile(body):
        service.watcher.scorer = None
        return read(body)

    monkeypatch.setattr(service.reader, "read", swapped_meanwhile)
    (answer,) = ask(service, post([{"loan_id": "a"}, {"loan_id": "b"}]))
    assert [a["model_version"] for a in answer.json()] == [boosting_scorer.version.version] * 2


def test_a_model_without_covers_decides_and_gives_no_reasons(service, boosting_scorer):
    service.watcher.scorer = replace(boosting_scorer, explainer=None)
    plain, explained = ask(service, post([{"loan_id": "a"}]), post([{"loan_id": "b"}], "/predict?explain=true"))
    assert plain.status_code == 200
    assert (explained.status_code, explained.json()["error"]) == (409, "no_reasons")
    assert len(lines(service)) == 1


def test_too_many_at_once_are_asked_to_come_back(service, monkeypatch):
    monkeypatch.setattr("loanwatch.predictor.service._MAX_AT_ONCE", 2)
    read = service.reader.read
    monkeypatch.setattr(service.reader, "read", lambda body: (time.sleep(0.2), read(body))[1])
    answers = ask(service, *(post([{"loan_id": "x" * 499}] * 1, "/predict?explain=1") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503]
    assert {a.json()["error"] for a in answers if a.status_code == 503} == {"busy"}
    (later,) = ask(service, post([{"loan_id": "a"}]))
    assert later.status_code == 200


def test_clients_that_send_slowly_do_not_keep_others_out(service, monkeypatch):
    monkeypatch.setattr("loanwatch.predictor.service._MAX_AT_ONCE", 1)

    async def trickle():
        yield b"["
        await asyncio.sleep(0.5)
        yield b'{"loan_id": "slow"}]'

    async def beside_slow_ones():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://service") as client:
            slow = [asyncio.create_task(client.post("/predict", content=trickle())) for _ in range(5)]
            await asyncio.sleep(0.1)
            quick = await client.post("/predict", json=[{"loan_id": "quick"}])
            return quick.status_code, {answer.status_code for answer in await asyncio.gather(*slow)}

    assert asyncio.run(beside_slow_ones()) == (200, {200})


def test_without_a_model_health_is_an_error_that_still_tells_the_state(service):
    service.watcher.scorer, service.watcher.reason = None, "no model is deployed"
    for path in ("/health", "/health/ready"):
        (answer,) = ask(service, ("GET", path, {}))
        body = answer.json()
        assert answer.status_code == 503
        assert (body["error"], body["message"], body["errors"]) == ("not_ready", "no model is deployed", [])
        assert body["request_id"] == answer.headers["x-request-id"]
        assert (body["live"], body["ready"], body["model_version"]) == (True, False, None)


def test_a_fault_beside_predictions_has_the_shape_of_all_errors(service, monkeypatch, capsys):
    def broken():
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(service.metrics, "exposition", broken)
    (answer,) = ask(service, ("GET", "/metrics", {}))
    assert (answer.status_code, set(answer.json())) == (500, {"error", "message", "errors", "request_id"})
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text
    assert "hunter2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("query", "status"),
    [("&".join(["a=1"] * 2_000), 200), ("explain", 200), ("explain=%ff%00", 422), ("explain=1&explain=maybe", 422)],
)
def test_whatever_the_address_holds_it_is_read_or_refused(service, query, status):
    (answer,) = ask(service, post([{"loan_id": "a"}], f"/predict?{query}"))
    assert answer.status_code == status


def test_an_address_is_not_completed_with_what_the_client_calls_us(service):
    (answer,) = ask(service, ("GET", "/ping/", {"headers": {"Host": "elsewhere.example"}}))
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_requests_are_counted_by_what_became_of_them(service):
    ask(service, post([{"loan_id": "a"}]), post([]), ("GET", "/nothing", {}))
    (figures,) = ask(service, ("GET", "/metrics", {}))
    assert 'requests_total{path="/predict",status="200"} 1.0' in figures.text
    assert 'requests_total{path="/predict",status="422"} 1.0' in figures.text
    assert 'requests_total{path="other",status="404"} 1.0' in figures.text
    assert "loanwatch_predictor_rows_total 1.0" in figures.text
    assert 'missing_values_total{column="credit_score"} 1.0' in figures.text


def test_the_description_names_every_field_and_only_id_is_required(service, contract):
    (document,) = ask(service, ("GET", "/openapi.json", {}))
    application = document.json()["components"]["schemas"]["Application"]
    assert application["required"] == ["loan_id"]
    assert {c.name for c in contract.columns} <= set(application["properties"])
    assert application["additionalProperties"] is False
    example = document.json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert ask(service, post(example))[0].status_code == 200
    assert not {"customer_id", "application_time", "loan_status"} & set(example[0])
