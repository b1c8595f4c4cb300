"""Bad input gets one line that says what is wrong and what to do, exit code 1, and nothing written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from loanwatch.database import Database
from loanwatch.simulator import Simulation, simulate, write

pytestmark = pytest.mark.deep

START, END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC)
WINDOW = ("--start", "2015-01-01", "--end", "2015-02-01")


class Command:
    """The command line on one database and home folder."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database, self.home = database, home

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LOANWATCH_", "DATABASE_URL"))}
        settings = {"DATABASE_URL": self.database.conninfo, "LOANWATCH_HOME": str(self.home)}
        return subprocess.run(
            [sys.executable, "-m", "loanwatch", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home.parent,
            env=clean | settings | environment,
            timeout=120,
        )

    def fails(self, *arguments: str, saying: str, **environment: str) -> None:
        """Assert that a command fails with one line, and that it deployed and kept nothing."""
        done = self(*arguments, **environment)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        assert saying in done.stderr, done.stderr
        assert len(done.stderr) < 2_500
        assert not list(self.home.glob("models/**/*.onnx"))


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    return Command(database, tmp_path / "home")


def month(**options: Any) -> Simulation:
    return simulate(start=START, end=END, seed=3, per_month=options.pop("per_month", 1_500), **options)


def execute(database: Database, statement: str) -> None:
    with database.connect() as connection:
        connection.execute(statement.encode())


def test_no_database(command: Command) -> None:
    command.fails("run", *WINDOW, saying="127.0.0.1", DATABASE_URL="postgresql://u@127.0.0.1:1/nowhere")


def test_a_wrong_password_which_is_not_shown(command: Command) -> None:
    parts = conninfo_to_dict(command.database.conninfo)
    wrong = make_conninfo("", **{**parts, "password": "s3cret-and-wrong"})
    done = command("run", *WINDOW, DATABASE_URL=wrong)
    assert done.returncode == 1
    assert "password" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_missing_table(command: Command) -> None:
    write(command.database, month(per_month=100))
    execute(command.database, "DROP TABLE credit_details")
    command.fails("run", *WINDOW, saying="credit_details")


def test_a_missing_column(command: Command) -> None:
    write(command.database, month(per_month=100))
    execute(command.database, "ALTER TABLE customer_details DROP COLUMN annual_income")
    command.fails("run", *WINDOW, saying="annual_income")


def test_an_empty_window_says_what_the_tables_hold(command: Command) -> None:
    write(command.database, month(per_month=100))
    command.fails("run", "--start", "2019-01-01", "--end", "2019-02-01", saying="2015-01")


def test_a_window_that_starts_after_it_ends(command: Command) -> None:
    command.fails("run", "--start", "2015-02-01", "--end", "2015-01-01", saying="must be before")


def test_a_date_that_is_none(command: Command) -> None:
    command.fails("run", "--start", "01/02/2015", "--end", "2015-03-01", saying="--start")


def test_one_class_only(command: Command) -> None:
    write(command.database, month())
    execute(command.database, "UPDATE loan_details SET loan_status = 'loan given'")
    command.fails("run", *WINDOW, saying="'loan refused': a model needs both labels")


def test_twenty_rows(command: Command) -> None:
    write(command.database, month(rows=20))
    command.fails("run", *WINDOW, saying="500")


def test_a_column_without_any_value_halts_or_is_named(command: Command) -> None:
    write(command.database, month())
    execute(command.database, "UPDATE loan_details SET tax_liens = NULL")
    done = command("run", *WINDOW, "--json")
    assert "Traceback" not in done.stderr
    assert "tax_liens" in done.stderr + done.stdout or "Tax liens" in done.stdout
    assert not list(command.home.glob("models/**/*.onnx"))


def test_ten_megabytes_of_text_in_a_column_do_no_harm(command: Command) -> None:
    write(command.database, month())
    execute(
        command.database,
        "UPDATE loan_details SET purpose = repeat('x', 10000000) "
        "WHERE loan_id = (SELECT min(loan_id) FROM loan_details)",
    )
    done = command("run", *WINDOW, "--json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) < 100_000
    for page in command.home.glob("reports/*.html"):
        assert page.stat().st_size < 500_000


def test_text_in_a_numeric_column_of_the_source_is_read_as_not_known(command: Command) -> None:
    write(command.database, month())
    execute(command.database, "ALTER TABLE customer_details ALTER annual_income TYPE text")
    execute(
        command.database,
        "UPDATE customer_details SET annual_income = 'a lot' "
        "WHERE customer_id IN (SELECT customer_id FROM customer_details ORDER BY 1 LIMIT 20)",
    )
    done = command("run", *WINDOW, "--json")
    assert done.returncode == 0, done.stderr


def test_a_future_date_is_named_by_the_quality_check(command: Command) -> None:
    future = simulate(
        start=datetime(2100, 1, 1, tzinfo=UTC), end=datetime(2100, 2, 1, tzinfo=UTC), seed=1, per_month=1_500
    )
    write(command.database, future)
    done = command("run", "--start", "2100-01-01", "--end", "2100-02-01", "--json")
    assert "future" in done.stdout + done.stderr


def files(folder: Path) -> Path:
    folder.mkdir()
    for name, table in month(per_month=50).tables.items():
        table.write_csv(folder / f"{name}.csv")
    return folder


def test_a_csv_that_is_not_utf8_is_named_by_file_and_line(command: Command, tmp_path: Path) -> None:
    folder = files(tmp_path / "files")
    path = folder / "customer_details.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], lines[4].replace(b",", b"\xff,", 1), *lines[5:]]))
    command.fails("load", str(folder), saying="customer_details.csv")
    with command.database.connect() as connection:
        assert connection.execute("SELECT to_regclass('loan_details')").fetchone() == (None,)


def test_text_in_a_numeric_column_of_a_file_is_named_by_file_line_and_column(command: Command, tmp_path: Path) -> None:
    folder = files(tmp_path / "files")
    path = folder / "loan_details.csv"
    broken = pl.read_csv(path, infer_schema=False)
    broken = broken.with_columns(
        no_of_properties=pl.when(pl.int_range(pl.len()) == 6).then(pl.lit("two")).otherwise(pl.col("no_of_properties"))
    )
    broken.write_csv(path)
    done = command("load", str(folder))
    assert done.returncode == 1
    for word in ("loan_details.csv", "8", "no_of_properties", "two"):
        assert word in done.stderr


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small or read-only file system")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk(command: Command) -> None:
    write(command.database, month())
    with mounted(command.home, "size=64k"):
        command.fails("run", *WINDOW, saying="the disk is full")


def test_a_folder_that_can_only_be_read(command: Command) -> None:
    write(command.database, month())
    with mounted(command.home, "ro"):
        command.fails("run", *WINDOW, saying="LOANWATCH_HOME")


def test_a_home_that_is_a_file(command: Command) -> None:
    write(command.database, month())
    command.home.write_text("not a folder")
    command.fails("run", *WINDOW, saying="cannot be written")


def test_a_contract_that_is_not_there(command: Command) -> None:
    command.fails("--contract", "nowhere.toml", "run", *WINDOW, saying="nowhere.toml")


def test_a_run_that_failed_is_recorded_with_an_alert_and_continues_when_the_cause_is_gone(command: Command) -> None:
    write(command.database, month())
    execute(command.database, "ALTER TABLE credit_details RENAME TO elsewhere")
    command.fails("run", *WINDOW, saying="credit_details")
    with command.database.connect() as connection:
        run = connection.execute("SELECT status, outcome FROM loanwatch.run").fetchone()
        alerts = connection.execute("SELECT event FROM loanwatch.alert").fetchall()
    assert run == ("failed", "failed")
    assert alerts == [("run_failed",)]
    execute(command.database, "ALTER TABLE elsewhere RENAME TO credit_details")
    assert command("run", *WINDOW).returncode == 0
