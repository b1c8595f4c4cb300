"""Two simulated months in a database, and settings with a folder of their own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from loanwatch.database import Database
from loanwatch.settings import Settings
from loanwatch.simulator import simulate, write

JANUARY, FEBRUARY, MARCH = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 2, 3))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def applications(database: Database) -> Database:
    """A database with two quiet months."""
    write(database, simulate(start=JANUARY, end=MARCH, seed=7, per_month=2_500))
    return database
