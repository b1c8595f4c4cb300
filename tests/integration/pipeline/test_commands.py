"""The commands around a run, as their user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loanwatch.database import Database
from loanwatch.settings import Settings


class Commands:
    def __init__(self, database: Database, settings: Settings) -> None:
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PG", "LOANWATCH_"))},
            "DATABASE_URL": database.conninfo,
            "LOANWATCH_HOME": str(settings.home),
        }

    def text(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "loanwatch", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "--json"))


@pytest.fixture
def commands(applications: Database, settings: Settings) -> Commands:
    return Commands(applications, settings)


def test_a_lender_finds_the_way_from_the_first_run_to_a_rollback(commands: Commands) -> None:
    first, second = commands.json("backfill", "--start", "2015-01-01", "--end", "2015-03-01")
    assert first["outcome"] == "deployed"
    assert second["outcome"] in ("no_change", "notice")
    assert Path(second["report"]).is_file()

    assert [row["run_id"] for row in commands.json("runs")] == [second["run_id"], first["run_id"]]
    table = commands.text("runs")
    assert "2015-01" in table
    assert "deployed" in table

    # a window that was finished is shown, not taken again, until somebody asks for it
    same = commands.json("run", "--start", "2015-02-01", "--end", "2015-03-01")
    assert same == second
    anew = commands.json("run", "--start", "2015-02-01", "--end", "2015-03-01", "--again")
    assert anew["run_id"] != second["run_id"]
    assert {k: v for k, v in anew.items() if k not in ("run_id", "report")} == {
        k: v for k, v in second.items() if k not in ("run_id", "report")
    }

    (version,) = commands.json("models", "list")
    assert (version["version"], version["status"]) == (1, "online")
    shown = commands.json("models", "show", "1")
    assert [entry["action"] for entry in shown["deployments"]] == ["deploy"]
    assert commands.json("models", "promote", "1")["online"] == "loan_eligibility v1"

    page = Path(commands.json("report", str(first["run_id"]))["report"])
    before = page.read_bytes()
    page.unlink()
    commands.text("report", str(first["run_id"]))
    assert page.read_bytes() == before

    assert all(finding["ok"] for finding in commands.json("doctor"))
    assert isinstance(commands.json("alerts", "list", "--all"), list)
