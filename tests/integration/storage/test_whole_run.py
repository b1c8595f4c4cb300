"""The whole way with an object store: each stage on the machine that did not do the one before, served by a third."""

import itertools
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loanwatch.contract import default_contract
from loanwatch.database import Database
from loanwatch.pipeline import (
    CLOSING_STAGES,
    STAGES_BEFORE_DECISION,
    begin_run,
    find_run,
    perform_stage,
    run_window,
    training_stages,
)
from loanwatch.settings import Settings
from loanwatch.simulator import simulate, write

JANUARY, FEBRUARY, MARCH = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 2, 3))
STAGES = (*STAGES_BEFORE_DECISION, *training_stages(default_contract()), "deploy", *CLOSING_STAGES)


@pytest.fixture
def machines(store: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Two machines with a disk each, one database and one store."""
    monkeypatch.setenv("DATABASE_URL", database.conninfo)
    return [
        Settings(home=tmp_path / name, storage_url=store, database_url=database.conninfo) for name in ("one", "two")
    ]


@contextmanager
def served(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "loanwatch", "--home", str(home), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.wait(40)
        if process.stdout:
            process.stdout.close()


def ask(address: str) -> Any:
    body = json.dumps([{"loan_id": "a", "term": "short term", "credit_score": 730}]).encode()
    request = urllib.request.Request(f"{address}/predict", data=body, headers={"Content-Type": "application/json"})
    deadline = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except OSError:
            assert time.monotonic() < deadline, "the service did not answer in time"
            time.sleep(0.2)


def test_two_machines_share_a_run_and_a_third_serves_its_model(
    store: str, database: Database, machines: list[Settings], tmp_path: Path
) -> None:
    write(database, simulate(start=JANUARY, end=MARCH, seed=7, per_month=2_500))
    run = begin_run(database, machines[0].contract(), start=JANUARY, end=FEBRUARY)
    for stage, machine in zip(STAGES, itertools.cycle(machines), strict=False):
        perform_stage(run.id, stage, settings=machine)

    done = find_run(database, run.id)
    assert (done.status, done.outcome) == ("finished", "deployed")
    assert str((done.summary or {})["report"]).startswith(store)
    with served(tmp_path / "three") as address:
        (answer,) = ask(address)
    assert answer["prediction"] in {"loan given", "loan refused"}
    assert 0 < answer["probability"] < 1


def test_the_next_window_is_judged_on_a_machine_that_never_saw_the_model(
    store: str, database: Database, machines: list[Settings]
) -> None:
    write(database, simulate(start=JANUARY, end=MARCH, seed=7, per_month=2_500))
    run_window(machines[0], database, start=JANUARY, end=FEBRUARY)
    later = run_window(machines[1], database, start=FEBRUARY, end=MARCH)
    assert (later.status, later.outcome) == ("finished", "no_change")
