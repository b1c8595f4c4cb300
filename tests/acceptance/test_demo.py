"""The demo's year shows every way a run can end, and says so."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loanwatch.database import Database, EmbeddedServer
from loanwatch.simulator import DEMO_ENDINGS

CPU_SECONDS = 60
"""What the demo may take of the processor, beside the database's share: on idle cores it takes about as long on the
clock, beside other tests the clock says nothing."""

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo(open_folder: Path) -> Iterator[dict[str, Any]]:
    began = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "loanwatch", "--home", str(open_folder), "demo", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "DATABASE_URL"},
    )
    ended = os.times()
    seconds = ended.children_user + ended.children_system - began.children_user - began.children_system
    assert done.returncode == 0, done.stderr
    yield {"rows": json.loads(done.stdout), "seconds": seconds, "home": open_folder / "demo"}
    EmbeddedServer(open_folder / "demo" / "postgres").stop()


def test_every_month_ends_as_planned(demo: dict[str, Any]) -> None:
    assert tuple(row["outcome"] for row in demo["rows"]) == DEMO_ENDINGS


def test_it_takes_no_longer_than_promised(demo: dict[str, Any]) -> None:
    assert demo["seconds"] < CPU_SECONDS


def test_the_broken_feed_halts_before_training_with_an_alert(demo: dict[str, Any]) -> None:
    database = Database(EmbeddedServer(demo["home"] / "postgres").start())
    halted = next(row for row in demo["rows"] if row["outcome"] == "halted")
    with database.connect() as connection:
        alerts = connection.execute(
            "SELECT event, severity FROM loanwatch.alert WHERE run_id = %s", (halted["run_id"],)
        ).fetchall()
        trained = connection.execute(
            "SELECT count(*) FROM loanwatch.run_step WHERE run_id = %s AND stage LIKE 'train%%'", (halted["run_id"],)
        ).fetchone()
    assert [event for event, _ in alerts] == ["halted"]
    assert trained == (0,)


def test_quiet_months_raise_no_alert(demo: dict[str, Any]) -> None:
    database = Database(EmbeddedServer(demo["home"] / "postgres").start())
    quiet = [row["run_id"] for row in demo["rows"] if row["outcome"] == "no_change"]
    with database.connect() as connection:
        alerts = connection.execute(
            "SELECT event, message FROM loanwatch.alert WHERE run_id = ANY(%s)", (quiet,)
        ).fetchall()
    assert alerts == []


def test_every_month_has_a_small_report(demo: dict[str, Any]) -> None:
    for row in demo["rows"]:
        page = Path(row["report"])
        assert 2_000 < page.stat().st_size < 500_000


def test_the_documented_request_gets_the_documented_answer(demo: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    found = re.search(r"curl [^\n]*/predict.*? -d '(.*?)'\n```\s*```json\n(.*?)\n```", page, re.DOTALL)
    assert found is not None
    command = [sys.executable, "-m", "loanwatch", "--home", str(demo["home"]), "serve", "--port", "0"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "DATABASE_URL"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        try:
            address = re.search(r"http://\S+:\d+", service.stdout.readline() if service.stdout else "")
            assert address is not None
            request = urllib.request.Request(
                f"{address[0]}/predict", found[1].encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                (told,), (documented,) = json.load(answer), json.loads(found[2])
        finally:
            service.terminate()
    assert told.pop("probability") == pytest.approx(documented.pop("probability"), abs=5e-4)
    assert told == documented
