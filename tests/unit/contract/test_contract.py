"""A contract says what an application looks like, and complains by key."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from loanwatch.contract import Kind, contract_values, default_contract, load_contract, parse_contract
from loanwatch.errors import ContractError


@pytest.fixture
def values() -> dict[str, Any]:
    text = (resources.files("loanwatch.contract") / "loan_eligibility.toml").read_text()
    return tomllib.loads(text)


def test_the_shipped_contract_names_the_twenty_published_predictors() -> None:
    contract = default_contract()
    assert [c.name for c in contract.predictors] == [
        "current_loan_amount", "term", "tax_liens", "purpose", "no_of_properties", "home_ownership", "annual_income",
        "years_in_current_job", "months_since_last_delinquent", "no_of_cars", "no_of_children", "credit_score",
        "monthly_debt", "years_of_credit_history", "no_of_open_accounts", "no_of_credit_problems",
        "current_credit_balance", "max_open_credit", "bankruptcies", "current_credit_balance_ratio",
    ]  # fmt: skip


def test_calendar_parts_are_neither_predictors_nor_watched() -> None:
    contract = default_contract()
    calendar = [e for e in contract.engineered if e.kind == "calendar"]
    assert len(calendar) == 5
    assert not any(e.predictor or e.is_monitored for e in calendar)


def test_the_extraction_query_comes_with_the_contract() -> None:
    assert "SELECT" in default_contract().extract_query


def test_a_contract_survives_the_way_through_json() -> None:
    contract = default_contract()
    assert parse_contract(contract_values(contract)) == contract


def test_kinds_and_titles_are_found_by_name() -> None:
    contract = default_contract()
    assert contract.kind_of("purpose") is Kind.CATEGORICAL
    assert contract.kind_of("current_credit_balance_ratio") is Kind.NUMERIC
    assert contract.label_of("no_of_cars") == "number of cars"
    assert contract.label_of("something_else") == "something else"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"name": 7}, "name"),
        ({"name": "no spaces allowed"}, "name"),
        ({"label": {"column": "loan_status", "positive": "x", "negative": "x"}}, "positive and negative"),
        ({"label": {"column": "nothing", "positive": "x", "negative": "y"}}, "label.column names nothing"),
        ({"label": {"column": "loan_status", "positive": "x"}}, "label.negative"),
        ({"keys": {"application": "nothing"}}, "keys.application names nothing"),
        ({"policy": {"leakage": "ignore"}}, "policy.leakage"),
        ({"policy": {"minimum_auc": 1.5}}, "policy.minimum_auc"),
        ({"training": {"candidates": ["neural_network"]}}, "training.candidates"),
        ({"training": {"test_share": 1}}, "training.test_share"),
        ({"columns": []}, "columns"),
        ({"tables": [{"name": "loan_details", "key": []}]}, "tables.loan_details.key"),
    ],
)
def test_a_mistake_is_named_by_its_key(values: dict[str, Any], change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ContractError, match=complaint.replace(".", r"\.")) as caught:
        parse_contract(values | change, source="mine.toml")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        ({"kind": "number"}, "kind"),
        ({"minimum": float("nan")}, "minimum: Input should be a finite number"),
        ({"maximum": float("inf")}, "maximum: Input should be a finite number"),
        ({"minimum": 5, "maximum": 1}, "minimum 5.0 is above maximum 1.0"),
        ({"tenfold": True, "minimum": None}, "tenfold needs"),
        ({"kind": "categorical", "sentinels": [1]}, "are for numeric"),
        ({"order": ["a"]}, "are for categorical"),
        ({"table": "nowhere"}, "names table nowhere"),
        ({"name": "term"}, "column term is described twice"),
        ({"kind": "text"}, "a predictor is numeric or categorical"),
        ({"predictor": "yes"}, "predictor: Input should be a valid boolean, got 'yes'"),
        ({"monitored": 1}, "monitored: Input should be a valid boolean"),
    ],
)
def test_a_mistake_in_a_column_names_the_column(values: dict[str, Any], column: dict[str, Any], complaint: str) -> None:
    bad = {"name": "extra", "table": "loan_details", "kind": "numeric", "predictor": True} | column
    values["columns"].append({k: v for k, v in bad.items() if v is not None})
    with pytest.raises(ContractError, match=complaint):
        parse_contract(values)


def test_a_contract_that_watches_no_column_says_what_to_do(values: dict[str, Any]) -> None:
    for column in (*values["columns"], *values["engineered"]):
        column["monitored"] = False
    with pytest.raises(ContractError, match="no column is watched for drift: take monitored = false from") as caught:
        parse_contract(values)
    assert "\n" not in str(caught.value)


def test_a_contract_without_predictors_says_what_to_do(values: dict[str, Any]) -> None:
    for column in (*values["columns"], *values["engineered"]):
        column["predictor"] = False
    with pytest.raises(ContractError, match="no column has predictor = true: give it to the columns"):
        parse_contract(values)


def test_a_missing_file_and_a_missing_query_are_named(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"nowhere\.toml cannot be read"):
        load_contract(tmp_path / "nowhere.toml")
    text = (resources.files("loanwatch.contract") / "loan_eligibility.toml").read_text()
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ContractError, match=r"extract_sql names .*loan_eligibility\.sql"):
        load_contract(tmp_path / "mine.toml")
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(ContractError, match="not valid TOML"):
        load_contract(tmp_path / "broken.toml")


def test_several_mistakes_are_told_at_once_and_by_the_names_of_their_entries(values: dict[str, Any]) -> None:
    wrong = next(c for c in values["columns"] if c["name"] == "purpose")
    wrong["kind"] = "colour"
    values["label"].pop("negative")
    with pytest.raises(ContractError, match=r"columns\.purpose\.kind: .*'colour'") as caught:
        parse_contract(values, source="x.toml")
    assert "label.negative: " in str(caught.value)


def test_at_most_five_mistakes_are_told_and_the_others_counted(values: dict[str, Any]) -> None:
    for column in values["columns"][:8]:
        column["kind"] = "colour"
    with pytest.raises(ContractError, match=r"\(and 3 more\)$"):
        parse_contract(values)
