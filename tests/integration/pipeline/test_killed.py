"""A run killed at any moment and started again ends as if it had not been killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loanwatch.database import Database
from loanwatch.pipeline import CLOSING_STAGES, STAGES_BEFORE_DECISION, Run, find_run, list_runs, training_stages
from loanwatch.settings import Settings

STAGES = (*STAGES_BEFORE_DECISION, *training_stages(Settings().contract()), "deploy", *CLOSING_STAGES)

# Runs the window and kills itself, as the kernel would, at the n-th of these moments: before a stage works, after it
# worked but before its transaction is committed, and after that.
CHILD = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from loanwatch.database import Database
from loanwatch.pipeline import flow, steps
from loanwatch.settings import Settings

home, conninfo, stage, moment = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

function = flow.stage_function
def stage_function(name):
    work = function(name)
    if name != stage:
        return work
    def doomed(context, connection):
        if moment == "before":
            die()
        result = work(context, connection)
        if moment == "uncommitted":
            die()
        return result
    return doomed
flow.stage_function = stage_function

perform = flow.perform
def perform_and_die(context, name, work):
    done = perform(context, name, work)
    if name == stage and moment == "after":
        die()
    return done
flow.perform = perform_and_die

flow.run_window(Settings(home=Path(home)), Database(conninfo),
                start=datetime(2015, 1, 1, tzinfo=UTC), end=datetime(2015, 2, 1, tzinfo=UTC))
"""


def run_child(settings: Settings, database: Database, stage: str, moment: str) -> int:
    command = [sys.executable, "-c", CHILD, str(settings.home), database.conninfo, stage, moment]
    return subprocess.run(command, env=os.environ, check=False, stderr=subprocess.DEVNULL).returncode


def what_it_left(database: Database, run: Run) -> dict[str, Any]:
    """Return everything that the run is there for, without clock times."""
    with database.connect() as connection:
        query = connection.execute
        return {
            "outcome": run.outcome,
            "auc": (run.summary or {})["auc"],
            "steps": query("SELECT stage, status FROM loanwatch.run_step ORDER BY stage").fetchall(),
            "models": query("SELECT version, status, artifact_digest FROM loanwatch.ml_model").fetchall(),
            "deployments": query("SELECT action, reason FROM loanwatch.deployment").fetchall(),
            "metrics": query("SELECT name, value FROM loanwatch.model_metric ORDER BY name").fetchall(),
            "alerts": query("SELECT event, occurrences FROM loanwatch.alert").fetchall(),
        }


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_a_run_killed_in_every_step_ends_as_one_that_was_not(
    tmp_path: Path, settings: Settings, applications: Database
) -> None:
    for stage in STAGES:
        for moment in ("before", "uncommitted", "after"):
            assert run_child(settings, applications, stage, moment) == -signal.SIGKILL, (stage, moment)
    assert run_child(settings, applications, "none", "none") == 0
    (killed,) = list_runs(applications, "loan_eligibility")
    left_by_killed = what_it_left(applications, killed)
    with applications.connect() as connection:
        connection.execute("DROP SCHEMA loanwatch CASCADE")

    unharmed = Settings(home=tmp_path / "unharmed")
    assert run_child(unharmed, applications, "none", "none") == 0
    (control,) = list_runs(applications, "loan_eligibility")

    assert left_by_killed == what_it_left(applications, control)
    assert left_by_killed["outcome"] == "deployed"
    assert len(left_by_killed["deployments"]) == 1
    assert len(left_by_killed["models"]) == 1


@pytest.mark.parametrize("stage", ["deploy"])
def test_a_run_killed_before_the_deployment_is_committed_has_deployed_nothing(
    settings: Settings, applications: Database, stage: str
) -> None:
    assert run_child(settings, applications, stage, "uncommitted") == -signal.SIGKILL
    with applications.connect() as connection:
        online = connection.execute("SELECT count(*) FROM loanwatch.ml_model WHERE status = 'online'").fetchone()
        journal = connection.execute("SELECT count(*) FROM loanwatch.deployment").fetchone()
    assert (online, journal) == ((0,), (0,))
    (run,) = list_runs(applications, "loan_eligibility")
    assert find_run(applications, run.id).status == "started"
