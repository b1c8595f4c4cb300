"""Whatever a client sends, the service answers, and never with a fault of its own."""

import json
import random
import string
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

EXAMPLE = {
    "loan_id": "a",
    "credit_score": 690,
    "annual_income": 64000,
    "term": "Short Term",
    "monthly_debt": "$1,580.03",
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def served(lender, serve):
    lender.deploy(lender.versions[0])
    return serve(lender)


def memory_mb(served):
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def any_value(dice, depth=0):
    kinds = [
        lambda: None,
        lambda: dice.random() < 0.5,
        lambda: dice.randint(-(10**30), 10**30),
        lambda: dice.gauss(0, 1e9),
        lambda: float("nan"),
        lambda: float("inf"),
        lambda: "".join(dice.choices(string.printable, k=dice.randint(0, 40))),
        lambda: "\0\ud7ff\U0010ffff",
        lambda: "x" * dice.choice([499, 501, 20_000]),
        lambda: "2015-01-01",
        lambda: "-1e999",
    ]
    if depth < 3:
        kinds.append(lambda: [any_value(dice, depth + 1) for _ in range(dice.randint(0, 4))])
        kinds.append(
            lambda: {str(any_value(dice, 3))[:30]: any_value(dice, depth + 1) for _ in range(dice.randint(0, 4))}
        )
    return dice.choice(kinds)()


def malformed(dice):
    """A body that is broken in one of many ways: bytes, structure, fields, values."""
    row = {**EXAMPLE, dice.choice([*EXAMPLE, "purpose", "strange"]): any_value(dice)}
    ways = [
        lambda: dice.randbytes(dice.randint(0, 300)),
        lambda: json.dumps([row]).encode()[: dice.randint(0, 100)],
        lambda: scratched(dice, json.dumps([EXAMPLE] * 3).encode()),
        lambda: dice.choice([b"[", b'{"X":', b'[{"term":']) * dice.randint(1, 5_000),
        lambda: json.dumps(any_value(dice)).encode(),
        lambda: json.dumps({"X": [row, any_value(dice)]}).encode(),
        lambda: json.dumps([row, row, {}]).encode(),
        lambda: json.dumps([row]).encode(),
    ]
    return dice.choice(ways)()


def scratched(dice, body):
    text = bytearray(body)
    for _ in range(dice.randint(1, 5)):
        text[dice.randrange(len(text))] = dice.randrange(256)
    return bytes(text)


def attack(served, count, seed):
    dice = random.Random(seed)
    statuses = {}
    with httpx.Client(base_url=served.address, timeout=10) as client:
        for _ in range(count):
            headers = dice.choice([JSON] * 8 + [{"Content-Type": "text/xml"}, {**JSON, "Content-Encoding": "gzip"}])
            response = client.post("/predict", content=malformed(dice), headers=headers)
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            if response.status_code != 200:
                assert set(response.json()) == {"error", "message", "errors", "request_id"}
                assert len(response.json()["errors"]) <= 20
    return statuses


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.deep)])
def test_malformed_bodies_are_refused_without_fault_or_growth(served, count):
    attack(served, count // 4, seed=1)
    before = memory_mb(served)
    statuses = attack(served, count, seed=2)
    assert not [status for status in statuses if status >= 500]
    assert statuses[422] > count / 2
    assert memory_mb(served) - before < 20
    assert served.predict([EXAMPLE]).status_code == 200


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.deep)])
def test_the_service_keeps_what_its_description_says(served, examples):
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
    for operation in (found.ok() for found in schema.get_all_operations()):

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def keeps(case):
            response = case.call()
            case.validate_response(
                response, checks=(not_a_server_error, status_code_conformance, response_schema_conformance)
            )

        keeps()
