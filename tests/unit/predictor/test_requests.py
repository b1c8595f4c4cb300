"""What a body may hold, and what is said of one that may not."""

import json

import pytest

from loanwatch.predictor.requests import RequestReader
from loanwatch.web.problem import Problem


@pytest.fixture(scope="module")
def reader(contract):
    return RequestReader(contract, max_rows=50)


def refused(reader, body):
    with pytest.raises(Problem) as caught:
        reader.read(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


def places(problem):
    return [(error.row, error.field) for error in problem.errors]


def test_a_list_and_a_list_under_x_are_the_same(reader):
    rows = [{"loan_id": "a", "credit_score": 700}, {"loan_id": 2}]
    assert reader.read(json.dumps(rows).encode()) == rows
    assert reader.read(json.dumps({"X": rows}).encode()) == rows


@pytest.mark.parametrize(
    "fields",
    [
        {"annual_income": None},
        {"annual_income": 0},
        {"annual_income": 100_000_000},
        {"current_loan_amount": 99_999_999},  # the sentinel
        {"credit_score": 7510},  # recorded ten times too large
        {"monthly_debt": "$1,234.50"},
        {"monthly_debt": 1234.5},
        {"monthly_debt": " "},
        {"purpose": "flying to the moon"},
        {"purpose": ""},
        {"application_time": "31-03-2015 14:05"},
        {"customer_id": 17, "loan_status": "loan given"},
        {"current_credit_balance_ratio": 3.5},
    ],
)
def test_values_that_the_contract_knows_are_taken(reader, fields):
    assert reader.read(json.dumps([{"loan_id": "a", **fields}]).encode()) == [{"loan_id": "a", **fields}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("annual_income", -1),
        ("annual_income", "64000"),
        ("annual_income", "2015-03-01"),
        ("annual_income", True),
        ("annual_income", [1]),
        ("annual_income", 10**400),
        ("credit_score", 299.9),
        ("credit_score", 8_501),
        ("monthly_debt", "#VALUE!"),
        ("monthly_debt", "-3"),
        ("term", 3),
        ("term", {"a": 1}),
        ("purpose", "x" * 501),
        ("purpose", "nul \0 in it"),
        ("application_time", "yesterday"),
        ("application_time", 1425168000),
        ("loan_id", None),
        ("loan_id", ""),
        ("loan_id", " \t"),
        ("loan_id", 1.5),
        ("loan_id", True),
        ("loan_id", 10**30),
        ("customer_id", False),
        ("loan_number", "a"),
    ],
)
def test_a_value_of_another_kind_is_named_by_row_and_field(reader, field, value):
    problem = refused(reader, [{"loan_id": "good"}, {"loan_id": "a", field: value}])
    assert problem.status == 422
    assert places(problem) == [(1, field)]
    assert problem.errors[0].expected


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_finite_number_is_named_by_row_and_field(reader, text):
    problem = refused(reader, b'[{"loan_id": "a", "annual_income": ' + text.encode() + b"}]")
    assert places(problem) == [(0, "annual_income")]


def test_the_range_is_told(reader):
    problem = refused(reader, [{"loan_id": "a", "annual_income": -1}])
    assert problem.errors[0].expected == "a number from 0 to 100,000,000, or null"


def test_a_missing_id_is_named(reader):
    assert places(refused(reader, [{"loan_id": "a"}, {}])) == [(1, "loan_id")]


@pytest.mark.parametrize("twin", ["a", " a ", "a\n"])
def test_an_id_that_comes_twice_is_named_with_its_twin(reader, twin):
    problem = refused(reader, [{"loan_id": "a"}, {"loan_id": "b"}, {"loan_id": twin}])
    assert places(problem) == [(2, "loan_id")]
    assert "row 0" in problem.errors[0].expected


def test_a_number_and_its_text_are_the_same_id(reader):
    assert places(refused(reader, [{"loan_id": 7}, {"loan_id": "7"}])) == [(1, "loan_id")]


def test_at_most_twenty_errors_are_told(reader):
    problem = refused(reader, [{"loan_id": str(n), "credit_score": "x", "term": 1} for n in range(40)])
    assert len(problem.errors) == 20
    assert places(problem)[-1] == (9, "term")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no json", b"[", b"\xff\xfe", b'"text"', b"3", b"null", b"{}", b"[]", b'{"X": []}', b'{"X": {}}',
        b'{"X": [{"loan_id": "a"}], "Y": 1}', b'{"loan_id": "a"}', b"[" * 100_000, b'{"a":' * 100_000,
        b'[{"loan_id": "\\ud800"}]', b'[{"loan_id": "a"}] and more',
    ],
)  # fmt: skip
def test_what_is_no_list_of_applications_is_refused_whole(reader, body):
    problem = refused(reader, body)
    assert problem.status == 422
    assert problem.errors
    assert all(error.row is None for error in problem.errors)


def test_a_list_of_other_things_names_the_rows(reader):
    assert places(refused(reader, [1, {"loan_id": "a"}, "x", None, [[]]])) == [
        (0, None),
        (2, None),
        (3, None),
        (4, None),
    ]


def test_a_nested_bomb_inside_a_field_is_refused(reader):
    body = b'[{"loan_id": "a", "term": ' + b"[" * 150 + b"]" * 150 + b"}]"
    assert places(refused(reader, body)) == [(0, "term")]


def test_too_many_applications_are_refused_with_the_limit(reader):
    problem = refused(reader, [{"loan_id": str(n)} for n in range(51)])
    assert problem.status == 413
    assert "at most 50" in problem.errors[0].expected


def test_names_of_strange_fields_are_cut(reader):
    problem = refused(reader, [{"loan_id": "a", "x" * 10_000: 1}])
    assert len(problem.errors[0].field) <= 80
