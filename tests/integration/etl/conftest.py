import csv
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from loanwatch.contract import Contract, default_contract
from loanwatch.database import Database
from loanwatch.etl import columns_of, extract_window, load_folder

YEAR = (datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def contract() -> Contract:
    return default_contract()


class Source:
    """Writes the three tables as CSV, a few columns of a row at a time, and reads windows of them."""

    def __init__(self, database: Database, contract: Contract, folder: Path) -> None:
        self.database, self.contract, self.folder = database, contract, folder

    def write(self, table: str, rows: Iterable[dict[str, object]] = (), *, text: bytes | None = None) -> None:
        names = columns_of(self.contract, next(t for t in self.contract.tables if t.name == table))
        path = self.folder / f"{table}.csv"
        if text is not None:
            path.write_bytes(text)
            return
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def load(self, *, loans=(), customers=(), scores=()):
        self.write("loan_details", loans)
        self.write("customer_details", customers)
        self.write("credit_details", scores)
        return load_folder(self.database, self.contract, self.folder)

    def extract(self, start: datetime = YEAR[0], end: datetime = YEAR[1]) -> list[dict[str, object]]:
        path = self.folder / "window.parquet"
        extract_window(self.database, self.contract, start=start, end=end, destination=path)
        return pl.read_parquet(path).sort("loan_id").to_dicts()

    def execute(self, statement: str) -> list[tuple]:
        with self.database.connect() as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def source(database: Database, contract: Contract, tmp_path: Path) -> Source:
    return Source(database, contract, tmp_path)


@pytest.fixture
def loan() -> Callable[..., dict[str, object]]:
    def make(loan_id: str = "l1", **changes: object) -> dict[str, object]:
        usual = {
            "loan_id": loan_id, "customer_id": "c1", "loan_status": "Loan Given ",
            "application_time": "16-04-2015 10:00", "current_loan_amount": 1000,
            "term": "Short Term", "tax_liens": 0, "purpose": "other",
            "no_of_properties": 1,
        }  # fmt: skip
        return {**usual, **changes}

    return make
