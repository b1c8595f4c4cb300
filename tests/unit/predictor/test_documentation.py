"""What the documentation shows can be sent, and is answered as it says."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from loanwatch.predictor.openapi import example_application
from loanwatch.predictor.requests import RequestReader
from loanwatch.web.problem import Problem

ROOT = Path(__file__).parents[3]
PAGES = ["docs/how-to/serve.md", "README.md"]


def documented(page):
    """The body that a page's curl command sends, and the answer shown below it."""
    found = re.search(
        r"curl [^\n]*/predict.*? -d '(.*?)'\n```\s*```json\n(.*?)\n```", (ROOT / page).read_text(), re.DOTALL
    )
    assert found, f"{page} shows no request with its answer"
    return found[1], json.loads(found[2])


@pytest.mark.parametrize("page", PAGES)
def test_the_request_is_that_of_the_description_and_passes_the_checks(page, contract):
    body, _ = documented(page)
    assert json.loads(body) == [example_application(contract)]
    assert RequestReader(contract, max_rows=10).read(body.encode()) == json.loads(body)


@pytest.mark.parametrize("page", PAGES)
def test_the_answer_has_what_every_answer_has(page, contract, boosting_scorer):
    _, (answer,) = documented(page)
    assert list(answer) == ["loan_id", "prediction", "probability", "model_version"]
    assert answer["loan_id"] == example_application(contract)["loan_id"]
    assert answer["prediction"] == boosting_scorer.label(answer["probability"])


def test_the_example_has_no_applicant_no_time_and_no_label(contract):
    wanted = {contract.keys.application, *(c.name for c in contract.columns if c.predictor)}
    assert set(example_application(contract)) == wanted


def test_a_contract_without_examples_has_one_made_up(contract):
    bare = replace(contract, columns=tuple(replace(c, example=None) for c in contract.columns))
    made_up = example_application(bare)
    assert RequestReader(bare, max_rows=10).read(json.dumps([made_up]).encode()) == [made_up]
    assert sum(value is not None for value in made_up.values()) > 15


def test_the_error_that_is_shown_is_what_is_told(contract):
    page = (ROOT / PAGES[0]).read_text()
    shown = json.loads(re.search(r'```json\n(\{"error".*?)\n```', page, re.DOTALL)[1])
    with pytest.raises(Problem) as caught:
        RequestReader(contract, max_rows=10).read(b'[{"loan_id": "a", "annual_income": -1}]')
    assert caught.value.to_dict(shown["request_id"]) == shown
