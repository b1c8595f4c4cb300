"""Another lender writes a TOML file and one SQL query, and everything else works."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loanwatch.database import Database
from loanwatch.etl import load_folder
from loanwatch.pipeline import Outcome, run_window
from loanwatch.registry import online_version
from loanwatch.settings import Settings

CONTRACT = Path(__file__).parent / "car_finance" / "car_finance.toml"
MARCH, APRIL, MAY = (datetime(2024, month, 1, tzinfo=UTC) for month in (3, 4, 5))


def write_requests(folder: Path, *, rows: int, seed: int) -> None:
    """Write two months of requests whose answer depends on the share paid down, the salary and the licence."""
    rng = np.random.default_rng(seed)
    minutes = np.sort(rng.integers(0, 61 * 24 * 60, rows))
    price = np.round(rng.lognormal(9.8, 0.4, rows), 2)
    paid = np.round(price * rng.beta(2, 5, rows), 2)
    salary = rng.choice(["low", "middle", "high"], rows, p=[0.3, 0.5, 0.2])
    years = rng.integers(0, 45, rows)
    logit = 6 * (paid / price - 0.28) + 1.2 * (salary == "high") - 1.2 * (salary == "low") + 0.05 * (years - 20)
    approved = rng.random(rows) < 1 / (1 + np.exp(-logit))
    pl.DataFrame(
        {
            "request_no": [f"R{i:06d}" for i in range(rows)],
            "person": [f"P{i:06d}" for i in range(rows)],
            "asked_at": [str(datetime(2024, 3, 1) + timedelta(minutes=int(m))) for m in minutes],  # noqa: DTZ001
            "answer": np.where(approved, "Approved", "Declined"),
            "car_price": price,
            "down_payment": np.where(rng.random(rows) < 0.05, -1.0, paid),
            "fuel": rng.choice(["Petrol", "Diesel", "Electric"], rows),
        }
    ).write_csv(folder / "requests.csv")
    pl.DataFrame(
        {"person": [f"P{i:06d}" for i in range(rows)], "salary_band": salary, "years_with_licence": years}
    ).write_csv(folder / "people.csv")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", contract_file=CONTRACT)


def test_another_lenders_files_are_loaded_trained_on_and_watched(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    (tmp_path / "files").mkdir()
    write_requests(tmp_path / "files", rows=6_000, seed=1)
    load_folder(database, settings.contract(), tmp_path / "files")

    first = run_window(settings, database, start=MARCH, end=APRIL)
    second = run_window(settings, database, start=APRIL, end=MAY)

    assert first.outcome == Outcome.DEPLOYED
    assert second.outcome == Outcome.NO_CHANGE, second.summary
    assert second.summary is not None
    assert second.summary["auc"]["value"] > 0.75
    with database.connect() as connection:
        online = online_version(connection, "car_finance")
    assert online is not None
    assert online.metadata["importance"]["down_payment_share"] == max(online.metadata["importance"].values())
    page = Path(second.summary["report"]).read_text(encoding="utf-8")
    assert "Car finance" in page
