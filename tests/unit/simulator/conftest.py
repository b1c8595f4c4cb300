"""Samples that several tests look at."""

from datetime import date

import polars as pl
import pytest

from loanwatch.simulator import Simulation, simulate, simulate_features

REFERENCE_ROWS = 21_952
"""Loans in the extract whose figures are published."""


@pytest.fixture(scope="session")
def applications() -> pl.DataFrame:
    """As many applications as the published figures speak of."""
    return simulate_features(REFERENCE_ROWS, seed=20)


@pytest.fixture(scope="session")
def many() -> pl.DataFrame:
    """Enough applications that a tenth of a percentage point is not chance."""
    return simulate_features(300_000, seed=21)


@pytest.fixture(scope="session")
def month() -> Simulation:
    """A month of raw tables and their truth."""
    return simulate(start=date(2015, 1, 1), end=date(2015, 2, 1), seed=22)
