"""Every way a run can end, through the DAG: the same database as from the command line, and the right messages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_stand_in import CHANNEL_ID, SlackStandIn
from support import connection_variables, new_database

from loanwatch.database import Database
from loanwatch.errors import WindowError
from loanwatch.pipeline import Run, find_run, list_runs, run_window
from loanwatch.settings import Settings

ENDINGS = {1: "deployed", 2: "no_change", 4: "notice", 6: "retrained", 9: "halted"}
"""By month of the simulated year; each month finds the model that the one before it left."""

TOLD = {1: [], 2: [], 4: ["data_drift"], 6: ["model_drift", "concept_drift", "retrained", "promoted"], 9: ["halted"]}
"""What is news in a month: the drift of April still stands in June, and nobody is told of it again."""

TASKS = {
    "deployed": {"training_data", "train", "compare", "deploy"},
    "no_change": {"nothing_to_do"},
    "notice": {"notice", "data_drift_alert"},
    "retrained": {
        "training_data", "train", "compare", "deploy",
        "model_drift_alert", "concept_drift_alert", "promoted_alert",
    },
    "halted": {"halted", "data_quality_alert"},
}  # fmt: skip
"""Which tasks an ending has beside those that every run has."""

ALWAYS = {
    "initialise", "get_data", "data_quality", "preprocess", "data_drift", "model_drift", "concept_drift", "decide",
    "report", "finish", "other_alerts",
}  # fmt: skip

STATE = {
    "runs": "SELECT id, contract, window_start, window_end, attempt, status, outcome, champion_id, model_id FROM run",
    "steps": "SELECT run_id, stage, status, attempt_count, message FROM run_step",
    "models": "SELECT id, name, version, status, run_id, artifact_digest FROM ml_model",
    "deployments": "SELECT model_id, previous_model_id, run_id, action, reason, actor FROM deployment",
    "metrics": "SELECT model_id, run_id, name, value FROM model_metric",
    "alerts": "SELECT run_id, model_id, event, severity, status, message, occurrences FROM alert",
}


def month(number: int) -> tuple[datetime, datetime]:
    return datetime(2015, number, 1, tzinfo=UTC), datetime(2015, number + 1, 1, tzinfo=UTC)


def state_of(database: Database) -> dict[str, list[str]]:
    """Return everything that runs leave, without clock times; how long training took stands in a step's message."""
    with database.connect() as connection:
        connection.execute("SET search_path TO loanwatch")
        return {
            name: sorted(str(row).partition(" after ")[0] for row in connection.execute(query).fetchall())
            for name, query in STATE.items()
        }


@dataclass(frozen=True, kw_only=True)
class Ended:
    run: Run
    state: str
    tasks: dict[str, str]
    messages: list[dict[str, Any]]


@pytest.fixture(scope="module")
def patched() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def by_dag(
    dags: dict[str, Any], postgres: str, lender: str, folder: Path, patched: pytest.MonkeyPatch
) -> tuple[Database, dict[int, Ended]]:
    """The five months through the DAG."""
    database = Database(new_database(postgres, "by_dag", template=lender))
    ended = {}
    with SlackStandIn() as slack:
        for name, value in connection_variables(database, slack).items():
            patched.setenv(name, value)
        patched.setenv("LOANWATCH_HOME", str(folder / "by_dag"))
        for number in ENDINGS:
            slack.calls.clear()
            start, end = month(number)
            dag_run = dags["ml_pipeline_monitoring"].test(
                run_conf={"start_date": f"{start:%Y-%m-%d}", "end_date": f"{end:%Y-%m-%d}"}
            )
            (run,) = list_runs(database, "loan_eligibility", limit=1)
            tasks = {ti.task_id: str(ti.state) for ti in dag_run.get_task_instances()}
            ended[number] = Ended(run=run, state=str(dag_run.state), tasks=tasks, messages=slack.messages)
    return database, ended


@pytest.fixture(scope="module")
def by_command(postgres: str, lender: str, folder: Path) -> Database:
    """The same months as the command line takes them."""
    database = Database(new_database(postgres, "by_command", template=lender))
    for number in ENDINGS:
        start, end = month(number)
        run_window(Settings(home=folder / "by_command"), database, start=start, end=end)
    return database


@pytest.mark.parametrize("number", ENDINGS)
def test_each_month_ends_as_planned(by_dag: tuple[Database, dict[int, Ended]], number: int) -> None:
    ended = by_dag[1][number]
    assert (ended.run.outcome, ended.state) == (ENDINGS[number], "success"), ended.run.summary


@pytest.mark.parametrize("number", ENDINGS)
def test_exactly_the_tasks_of_the_ending_are_done(by_dag: tuple[Database, dict[int, Ended]], number: int) -> None:
    done = {task for task, state in by_dag[1][number].tasks.items() if state == "success"}
    rest = {state for task, state in by_dag[1][number].tasks.items() if task not in done}
    assert done == ALWAYS | TASKS[ENDINGS[number]]
    assert rest == {"skipped"}


@pytest.mark.parametrize("number", ENDINGS)
def test_slack_is_told_exactly_what_the_ending_is_about(by_dag: tuple[Database, dict[int, Ended]], number: int) -> None:
    database, ended = by_dag
    with database.connect() as connection:
        told = connection.execute(
            "SELECT coalesce(a.event, 'rule'), c.kind, o.status FROM loanwatch.outbox o "
            "JOIN loanwatch.alert a ON a.id = o.alert_id "
            "JOIN loanwatch.alert_change c ON c.id = o.change_id, loanwatch.run r "
            "WHERE r.id = %s AND o.created_at > r.started_at AND o.created_at < coalesce("
            "(SELECT min(started_at) FROM loanwatch.run AS later WHERE later.id > r.id), 'infinity')",
            (ended[number].run.id,),
        ).fetchall()
    about = sorted(event for event, kind, _ in told if kind != "resolved" and event != "rule")
    assert about == sorted(TOLD[number])
    assert {status for _, _, status in told} <= {"delivered"}
    assert len(ended[number].messages) == len(told)
    for message in ended[number].messages:  # a reply in a thread goes to where Slack said the first message lies
        assert message["channel"] == (CHANNEL_ID if "thread_ts" in message else "#lending")


def test_the_database_is_left_as_by_the_command_line(
    by_dag: tuple[Database, dict[int, Ended]], by_command: Database
) -> None:
    left, expected = state_of(by_dag[0]), state_of(by_command)
    for table, rows in expected.items():
        assert left[table] == rows, table


def test_a_window_without_applications_fails_as_on_the_command_line(
    by_dag: tuple[Database, dict[int, Ended]], by_command: Database, dags: dict[str, Any], folder: Path
) -> None:
    start, end = datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 2, 1, tzinfo=UTC)
    with pytest.raises(WindowError):
        run_window(Settings(home=folder / "by_command"), by_command, start=start, end=end)
    dag_run = dags["ml_pipeline_monitoring"].test(run_conf={"start_date": "2017-01-01", "end_date": "2017-02-01"})
    tried = {ti.task_id: ti.try_number for ti in dag_run.get_task_instances() if ti.state == "failed"}
    assert (str(dag_run.state), tried) == ("failed", {"get_data": 1, "run_failed": 1})
    left, expected = state_of(by_dag[0]), state_of(by_command)
    assert left == expected
    assert any("no_data" in alert for alert in left["alerts"])


def test_every_run_has_its_report(by_dag: tuple[Database, dict[int, Ended]]) -> None:
    for ended in by_dag[1].values():
        assert Path((ended.run.summary or {})["report"]).stat().st_size > 2_000


def test_a_finished_window_is_left_as_it_is(by_dag: tuple[Database, dict[int, Ended]], dags: dict[str, Any]) -> None:
    database, ended = by_dag
    before = state_of(database)
    dag_run = dags["ml_pipeline_monitoring"].test(run_conf={"start_date": "2015-02-01", "end_date": "2015-03-01"})
    states = {ti.task_id: str(ti.state) for ti in dag_run.get_task_instances()}
    assert {task for task, state in states.items() if state == "success"} == {"initialise"}
    assert state_of(database) == before
    assert find_run(database, ended[2].run.id).attempt == 1


@pytest.mark.parametrize("conf", [{"start_date": "2015-03-01"}, {"start_date": "2015-03-01", "end_date": "2015-03-01"}])
def test_dates_that_make_no_window_fail_the_run_without_a_second_try(
    by_dag: tuple[Database, dict[int, Ended]], dags: dict[str, Any], conf: dict[str, str]
) -> None:
    before = state_of(by_dag[0])
    dag_run = dags["ml_pipeline_monitoring"].test(run_conf=conf)
    (first,) = [ti for ti in dag_run.get_task_instances() if ti.task_id == "initialise"]
    assert (str(dag_run.state), first.state, first.try_number) == ("failed", "failed", 1)
    assert state_of(by_dag[0]) == before
