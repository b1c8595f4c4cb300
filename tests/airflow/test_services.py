"""The local Airflow as a person starts it: real processes, runs triggered over REST, a clean end."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rest import Rest
from slack_stand_in import SlackStandIn
from support import as_url, connection_variables, new_database

from loanwatch.contract import default_contract
from loanwatch.database import Database
from loanwatch.pipeline import CLOSING_STAGES, STAGES_BEFORE_DECISION, Run, list_runs, run_window, training_stages
from loanwatch.pipeline.bundle import load_model
from loanwatch.registry import online_version
from loanwatch.settings import Settings
from loanwatch.storage import open_storage

REPOSITORY = Path(__file__).parents[2]
DAG = "ml_pipeline_monitoring"
JANUARY = {"start_date": "2015-01-01", "end_date": "2015-02-01"}
DEPLOYMENTS = "SELECT count(*) FROM loanwatch.deployment"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Running:
    process: subprocess.Popen[str]
    rest: Rest
    database: Database
    predictor: str
    home: Path


@contextmanager
def local_airflow(home: Path, database: Database, slack: SlackStandIn, dags: Path, **choices: str) -> Iterator[Running]:
    """Start what `make airflow` starts, and stop it as Ctrl-C does."""
    home.mkdir(mode=0o755)
    airflow, predictor = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **connection_variables(database, slack),
        "LOANWATCH_HOME": str(home),
        "DATABASE_URL": as_url(database.conninfo),
        "AIRFLOW_PORT": str(airflow),
        "PREDICTOR_PORT": str(predictor),
        "LOANWATCH_TEST_REPOSITORY": str(REPOSITORY),
        **choices,
    }
    shutil.copytree(dags, home / "start" / "dags")
    process = subprocess.Popen(
        [sys.executable, "-m", "loanwatch.orchestration.local"],
        cwd=home / "start", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        said = ""
        while (found := re.search(r"password (\S+)", said)) is None:
            line = process.stdout.readline() if process.stdout else ""
            said += line
            assert line, said
        rest = Rest(f"http://127.0.0.1:{airflow}", password=found[1])
        rest.unpause(DAG)
        yield Running(
            process=process, rest=rest, database=database, predictor=f"http://127.0.0.1:{predictor}", home=home
        )
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=90)
    assert code == 0
    assert processes_of(home) == []


def processes_of(home: Path) -> list[str]:
    """Return the commands of processes that still run with this home."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if f"LOANWATCH_HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
    return found


def count(database: Database, query: str) -> int:
    with database.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def stand_in() -> Iterator[SlackStandIn]:
    with SlackStandIn() as slack:
        yield slack


@pytest.fixture(scope="module")
def local(folder: Path, postgres: str, lender: str, stand_in: SlackStandIn) -> Iterator[Running]:
    database = Database(new_database(postgres, "services", template=lender))
    doomed = Path(__file__).parent / "doomed_dags"
    with local_airflow(folder / "services", database, stand_in, doomed) as running:
        yield running


def run_of(database: Database, month: int) -> Run:
    return next(run for run in list_runs(database, "loan_eligibility") if run.window_start.month == month)


def test_a_run_killed_in_every_stage_ends_as_one_that_was_not(local: Running, postgres: str, lender: str) -> None:
    (local.home / "doom").touch()
    run = local.rest.trigger(DAG, **JANUARY)
    local.rest.succeed(DAG, run)
    (local.home / "doom").unlink()

    stages = (*STAGES_BEFORE_DECISION, *training_stages(default_contract()), "deploy", *CLOSING_STAGES)
    with local.database.connect() as connection:
        steps = dict(connection.execute("SELECT stage, attempt_count FROM loanwatch.run_step s WHERE s.run_id = %s",
                                        (run_of(local.database, 1).id,)).fetchall())  # fmt: skip
        models = connection.execute("SELECT status, artifact_digest FROM loanwatch.ml_model").fetchall()
    assert steps == dict.fromkeys(stages, 2)
    assert (run_of(local.database, 1).outcome, count(local.database, DEPLOYMENTS)) == ("deployed", 1)

    unharmed = Database(new_database(postgres, "unharmed", template=lender))
    start, end = datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC)
    run_window(Settings(home=local.home / "unharmed"), unharmed, start=start, end=end)
    with unharmed.connect() as connection:
        assert models == connection.execute("SELECT status, artifact_digest FROM loanwatch.ml_model").fetchall()


def test_the_predictor_serves_the_model_that_the_run_deployed(local: Running) -> None:
    deadline = time.monotonic() + 20
    while (answer := predict(local.predictor)) is None and time.monotonic() < deadline:
        time.sleep(0.5)
    assert answer is not None
    assert answer[0]["prediction"] in {"loan given", "loan refused"}


def test_model_and_report_are_asset_events(local: Running) -> None:
    done = run_of(local.database, 1)
    events = local.rest.call("GET", "/api/v2/assets/events")[1]["asset_events"]
    told = {event["name"]: event["extra"] for event in events if event["extra"].get("run_id") == done.id}
    assert told["loanwatch_model"] == {"run_id": done.id, "model_id": done.model_id}
    assert told["loanwatch_report"]["run_id"] == done.id


def test_a_run_beside_another_process_on_the_same_window_is_one_run(local: Running) -> None:
    window = ["--start", "2015-02-01", "--end", "2015-03-01"]
    command = [sys.executable, "-m", "loanwatch", "run", *window, "--json"]
    environment = {**os.environ, "LOANWATCH_HOME": str(local.home), "DATABASE_URL": as_url(local.database.conninfo)}
    with ThreadPoolExecutor() as pool:
        beside = pool.submit(subprocess.run, command, env=environment, capture_output=True, check=True, text=True)
        run = local.rest.trigger(DAG, start_date="2015-02-01", end_date="2015-03-01")
        local.rest.succeed(DAG, run)
        summary = json.loads(beside.result().stdout)
    february = run_of(local.database, 2)
    assert (february.id, february.outcome, february.attempt) == (summary["run_id"], "no_change", 1)
    assert count(local.database, f"SELECT max(attempt_count) FROM loanwatch.run_step WHERE run_id = {february.id}") == 1


@pytest.mark.parametrize(
    ("choice", "outcome", "more"), [("Reject", "challenger_rejected", 0), ("Approve", "retrained", 1)]
)
def test_a_model_goes_online_only_when_the_person_who_is_asked_agrees(
    local: Running, choice: str, outcome: str, more: int
) -> None:
    before = count(local.database, DEPLOYMENTS)
    run = local.rest.trigger(DAG, start_date="2015-06-01", end_date="2015-07-01", approval=True, again=True)
    local.rest.answer(DAG, run, "approve", choice)
    local.rest.succeed(DAG, run)
    states = {task["task_id"]: task["state"] for task in local.rest.tasks(DAG, run)}
    assert (states["approve"], states["deploy"]) == ("success", "success" if more else "skipped")
    assert (run_of(local.database, 6).outcome, count(local.database, DEPLOYMENTS) - before) == (outcome, more)


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server: apt-get install redis-server")
def test_two_celery_workers_take_one_window_for_two_dags_at_once_and_deploy_once(
    folder: Path, postgres: str, lender: str, stand_in: SlackStandIn
) -> None:
    database = Database(new_database(postgres, "celery", template=lender))
    dags = folder / "twice"
    shutil.copytree(REPOSITORY / "dags", dags)
    source = (dags / f"{DAG}.py").read_text(encoding="utf-8")
    (dags / "beside.py").write_text(source.replace(f'dag_id="{DAG}"', 'dag_id="beside"'), encoding="utf-8")
    with local_airflow(folder / "celery", database, stand_in, dags, EXECUTOR="celery", WORKERS="2") as running:
        running.rest.unpause("beside")
        runs = {dag: running.rest.trigger(dag, **JANUARY) for dag in (DAG, "beside")}
        for dag, run in runs.items():
            running.rest.succeed(dag, run)
        logs = [(running.home / "airflow" / "process-logs" / f"worker-{n}.log").read_text() for n in (1, 2)]
        models = open_storage(Settings(home=running.home), "models")
        with database.connect() as connection:
            load_model(models, online_version(connection, "loan_eligibility"))  # the files are those of the digest
    assert all("succeeded" in log for log in logs)
    assert (run_of(database, 1).outcome, count(database, DEPLOYMENTS)) == ("deployed", 1)
    # the daily run of yesterday, which has no applications, begins when a DAG is unpaused
    assert count(database, "SELECT count(*) FROM loanwatch.run WHERE window_start < '2016-01-01'") == 1
    assert count(database, "SELECT count(*) FROM loanwatch.ml_model") == 1
    january = run_of(database, 1).id
    assert count(database, f"SELECT max(attempt_count) FROM loanwatch.run_step WHERE run_id = {january}") == 1


def predict(address: str) -> Any:
    body = json.dumps([{"loan_id": "a", "term": "short term", "credit_score": 730}]).encode()
    request = urllib.request.Request(f"{address}/predict", data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None


def test_dates_of_the_wrong_form_are_refused_by_the_form(local: Running) -> None:
    body = {"logical_date": None, "conf": {"start_date": "01.02.2015", "end_date": "2015-03-01"}}
    status, _ = local.rest.call("POST", f"/api/v2/dags/{DAG}/dagRuns", body)
    assert status in {400, 422}
