"""Windows as the extraction delivers them, drawn in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from loanwatch.contract import Contract, contract_values, default_contract, parse_contract
from loanwatch.features import Cleaned, clean

NOW = datetime(2021, 1, 1, tzinfo=UTC)

Draw = Callable[..., pl.DataFrame]


def honest_window(rows: int, *, seed: int = 0, given: float = 0.77, strength: float = 1.0) -> pl.DataFrame:
    """Return raw applications whose label depends on score, term and income, and on nothing that is missing."""
    rng = np.random.default_rng([seed, rows])
    z = rng.normal(size=(rows, 6))
    term = np.where(rng.random(rows) < 0.73, "short term", "long term")
    log_odds = strength * (z[:, 0] + 0.8 * (term == "short term") + 0.5 * z[:, 1] - 0.4 * z[:, 2])
    label = rng.random(rows) < 1 / (1 + np.exp(-(log_odds + _intercept(log_odds, given))))
    absent = rng.random(rows) < 0.35

    def known(values: np.ndarray, missing: float = 0.0) -> pl.Series:
        gone = absent | (rng.random(rows) < missing)
        return pl.Series(np.where(gone, np.nan, values.astype(float)), nan_to_null=True)

    score = np.round(740 + 12 * z[:, 0])
    amount = np.round(np.exp(9.5 + 0.7 * z[:, 2]))
    start = datetime(2020, 1, 1, tzinfo=UTC)
    times = [start + timedelta(seconds=int(s)) for s in np.sort(rng.integers(0, 30 * 86_400, rows))]
    names = [f"purpose {i}" for i in range(15)]
    return pl.DataFrame(
        {
            "loan_id": [f"l{seed}-{i}" for i in range(rows)],
            "customer_id": [f"c{seed}-{i}" for i in range(rows)],
            "loan_status": np.where(label, "loan given", "loan refused"),
            "application_time": times,
            "current_loan_amount": np.where(rng.random(rows) < 0.1, 99_999_999, amount),
            "term": term,
            "tax_liens": rng.poisson(0.02, rows),
            "purpose": rng.choice(names, size=rows, p=[0.78] + [0.22 / 14] * 14),
            "no_of_properties": rng.integers(0, 5, rows),
            "home_ownership": [
                None if a else w for a, w in zip(absent, rng.choice(["rent", "own home"], rows), strict=True)
            ],
            "years_in_current_job": [
                None if a else w for a, w in zip(absent, rng.choice(["1 year", "10+ years"], rows), strict=True)
            ],
            "annual_income": known(np.round(np.exp(11 + 0.5 * z[:, 1])), 0.25),
            "months_since_last_delinquent": known(rng.integers(0, 90, rows), 0.5),
            "no_of_cars": known(rng.integers(0, 6, rows)),
            "no_of_children": known(rng.integers(0, 4, rows)),
            "credit_score": known(np.where(rng.random(rows) < 0.08, 10 * score, score), 0.25),
            "monthly_debt": known(np.exp(6.8 + 0.6 * z[:, 3])),
            "years_of_credit_history": known(np.clip(np.round(18 + 7 * z[:, 4], 1), 4, 60)),
            "no_of_open_accounts": known(rng.poisson(11, rows)),
            "no_of_credit_problems": known(rng.poisson(0.145, rows)),
            "current_credit_balance": known(np.exp(9.3 + z[:, 5])),
            "max_open_credit": known(np.exp(10 + z[:, 5] + 0.3 * z[:, 3])),
            "bankruptcies": known(rng.poisson(0.1, rows)),
            "duplicate_rows": np.zeros(rows, dtype=np.int64),
            "superseded_rows": np.zeros(rows, dtype=np.int64),
            "customer_records": np.where(absent, 2, 1),
            "credit_records": np.where(absent, 2, 1),
        }
    )


def _intercept(log_odds: np.ndarray, given: float) -> float:
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(1 / (1 + np.exp(-(log_odds + middle)))) < given else (low, middle)
    return low


@pytest.fixture(scope="session")
def contract() -> Contract:
    return default_contract()


@pytest.fixture(scope="session")
def excluding(contract: Contract) -> Contract:
    values = contract_values(contract)
    values["policy"]["leakage"] = "exclude"
    return parse_contract(values)


@pytest.fixture
def window() -> Draw:
    return honest_window


@pytest.fixture
def cleaned(contract: Contract) -> Callable[[pl.DataFrame], Cleaned]:
    return lambda frame: clean(frame, contract)
