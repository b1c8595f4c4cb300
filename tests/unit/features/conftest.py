import pytest

from loanwatch.contract import Contract, default_contract, parse_contract

SECOND = {
    "name": "car_leasing",
    "title": "Car leasing",
    "extract_sql": "car_leasing.sql",
    "keys": {"application": "request_no"},
    "time": {"column": "asked_at", "formats": ["%Y/%m/%d"]},
    "label": {"column": "outcome", "positive": "leased", "negative": "declined"},
    "tables": [{"name": "requests", "key": ["request_no"]}],
    "columns": [
        {"name": "request_no", "table": "requests", "kind": "id"},
        {"name": "asked_at", "table": "requests", "kind": "time"},
        {"name": "outcome", "table": "requests", "kind": "categorical"},
        {"name": "price", "table": "requests", "kind": "numeric", "minimum": 0, "sentinels": [-1], "predictor": True},
        {"name": "wage", "table": "requests", "kind": "numeric", "predictor": True},
        {
            "name": "fuel",
            "table": "requests",
            "kind": "categorical",
            "encoding": "one_hot",
            "spellings": {"benzine": "petrol", "?": ""},
            "predictor": True,
        },
        {"name": "remark", "table": "requests", "kind": "text"},
    ],
    "engineered": [
        {"name": "strain", "kind": "ratio", "sources": ["price", "wage"], "predictor": True},
        {"name": "slack", "kind": "difference", "sources": ["wage", "price"]},
        {"name": "area", "kind": "product", "sources": ["wage", "price"]},
        {"name": "week", "kind": "calendar", "sources": ["asked_at"], "part": "week"},
        {"name": "season", "kind": "calendar", "sources": ["asked_at"], "part": "season"},
    ],
}


@pytest.fixture(scope="session")
def loans() -> Contract:
    return default_contract()


@pytest.fixture(scope="session")
def cars() -> Contract:
    return parse_contract(SECOND)
