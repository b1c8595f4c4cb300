"""Contracts of a single table, for checks that only need columns and a label."""

import os
from pathlib import Path

import pytest

from loanwatch.contract import parse_contract

DATA = Path(os.environ.get("LOANWATCH_TEST_DATA", Path(__file__).parents[3].parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """Return a function that names a folder of the test data, or skips the test."""

    def folder(name):
        path = DATA / name
        if not path.exists():
            pytest.skip(f"{path} is absent: set LOANWATCH_TEST_DATA")
        return path

    return folder


@pytest.fixture(scope="session")
def one_table_contract():
    """Return a function that makes a contract of numeric and categorical predictors."""

    def contract(numeric, categorical=(), *, delay_days=0):
        kinds = {"loan_id": "id", "moment": "time", "outcome": "categorical"}
        columns = [{"name": n, "table": "s", "kind": kind} for n, kind in kinds.items()]
        columns += [{"name": n, "table": "s", "kind": "numeric", "predictor": True} for n in numeric]
        category = {"table": "s", "kind": "categorical", "encoding": "frequency_share", "predictor": True}
        columns += [{"name": n, **category} for n in categorical]
        label = {"column": "outcome", "positive": "given", "negative": "refused", "delay_days": delay_days}
        return parse_contract(
            {
                "name": "plain",
                "title": "Plain",
                "extract_sql": "plain.sql",
                "keys": {"application": "loan_id"},
                "time": {"column": "moment"},
                "label": label,
                "tables": [{"name": "s", "key": ["loan_id"]}],
                "columns": columns,
            }
        )

    return contract
