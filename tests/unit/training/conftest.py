import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from loanwatch.contract import Contract, default_contract
from loanwatch.simulator import simulate_features
from loanwatch.training import Candidate, Split, split, train_candidate


def labelled(rows: int, *, seed: int) -> pl.DataFrame:
    """Return simulated applications as the pipeline hands them on: with key and label in the contract's words."""
    frame = simulate_features(rows, seed=seed)
    words = pl.when(pl.col("label").cast(pl.Boolean)).then(pl.lit("loan given")).otherwise(pl.lit("loan refused"))
    return frame.with_columns(words.alias("loan_status"), loan_id=pl.int_range(pl.len()).cast(pl.String))


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep boosting's threads from waiting for each other in a busy loop beside other test processes."""
    with threadpool_limits(1, user_api="openmp"):
        yield


@pytest.fixture(scope="session")
def contract() -> Contract:
    return default_contract()


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    return labelled(3_000, seed=1)


@pytest.fixture(scope="session")
def parts(frame, contract) -> Split:
    return split(frame, contract)


@pytest.fixture(scope="session", params=["random_forest", "gradient_boosting"])
def candidate(request, parts, contract) -> Candidate:
    return train_candidate(parts, contract, request.param, seed=0)
