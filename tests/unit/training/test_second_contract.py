import numpy as np
import polars as pl
import pytest

from loanwatch.contract import Contract, parse_contract
from loanwatch.features import clean, engineer
from loanwatch.training import labels_of, split, train_candidate


@pytest.fixture(scope="module")
def leasing() -> Contract:
    numeric, word = {"table": "requests", "kind": "numeric"}, {"table": "requests", "kind": "categorical"}
    return parse_contract(
        {
            "name": "leasing",
            "title": "Leasing",
            "extract_sql": "leasing.sql",
            "keys": {"application": "request_no"},
            "time": {"column": "asked_at"},
            "label": {"column": "outcome", "positive": "Leased", "negative": "Declined"},
            "tables": [{"name": "requests", "key": ["request_no"]}],
            "columns": [
                {"name": "request_no", "table": "requests", "kind": "id"},
                {"name": "asked_at", "table": "requests", "kind": "time"},
                {"name": "outcome", **word},
                {"name": "price", **numeric, "predictor": True},
                {"name": "wage", **numeric, "predictor": True},
                {"name": "fuel", **word, "encoding": "one_hot", "predictor": True},
            ],
            "engineered": [{"name": "strain", "kind": "ratio", "sources": ["price", "wage"], "predictor": True}],
            "preprocessing": {"imputation": "mode_median", "rescaling": "min_max"},
            "training": {"minimum_rows": 300, "split": "random"},
        }
    )


@pytest.fixture(scope="module")
def requests(leasing) -> pl.DataFrame:
    generator = np.random.default_rng(8)
    rows = 900
    fuel = generator.choice(["Petrol", "Diesel", "Gas"], size=rows)
    logit = 2.0 * (fuel == "Diesel") - 1.0 + 0.1 * generator.normal(size=rows)
    raw = pl.DataFrame(
        {
            "request_no": [str(n) for n in range(rows)],
            "asked_at": ["2024-05-01 10:00:00"] * rows,
            "outcome": np.where(generator.random(rows) < 1 / (1 + np.exp(-2 * logit)), "Leased", "declined "),
            "price": generator.uniform(100, 900, size=rows),
            "wage": generator.uniform(1_000, 9_000, size=rows),
            "fuel": fuel,
        }
    )
    return engineer(clean(raw, leasing).frame, leasing)


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_another_lender_trains_with_other_columns_words_and_encodings(leasing, requests, name):
    parts = split(requests, leasing)
    assert labels_of(parts.train, leasing).mean() == pytest.approx(0.4, abs=0.15)
    candidate = train_candidate(parts, leasing, name, seed=0)
    assert candidate.model.preprocessor.feature_names == (
        "price", "wage", "fuel=diesel", "fuel=gas", "fuel=petrol", "strain",
    )  # fmt: skip
    assert list(candidate.feature_importance) == ["price", "wage", "fuel", "strain"]
    assert candidate.feature_importance["fuel"] > 0.8
    assert candidate.test_auc > 0.8
