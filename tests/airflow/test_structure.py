"""The DAGs as they are wired, and what parsing them does."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loanwatch.pipeline import CLOSING_STAGES, STAGES_BEFORE_DECISION

REPOSITORY = Path(__file__).parents[2]
ALERTS = {"data_drift_alert", "model_drift_alert", "concept_drift_alert"}


def follow(dag: Any) -> dict[str, set[str]]:
    return {task.task_id: task.downstream_task_ids for task in dag.tasks}


def test_the_two_dags_are_there(dags: dict[str, Any]) -> None:
    assert set(dags) == {"ml_pipeline_monitoring", "slack_test_workflow"}


def test_the_tasks_follow_the_order_of_the_pipeline(dags: dict[str, Any]) -> None:
    assert follow(dags["ml_pipeline_monitoring"]) == {
        "initialise": {"get_data"},
        "get_data": {"data_quality"},
        "data_quality": {"preprocess", "data_quality_alert"},
        "preprocess": {"data_drift", "model_drift"},
        "data_drift": {"concept_drift", "decide", "data_drift_alert"},
        "model_drift": {"decide", "model_drift_alert"},
        "concept_drift": {"decide", "concept_drift_alert"},
        "decide": {"training_data", "halted", "notice", "nothing_to_do", *ALERTS},
        "training_data": {"train"},
        "train": {"compare"},
        "compare": {"approve", "deploy", "keep_champion"},
        "approve": {"deploy"},
        "deploy": {"report", "promoted_alert"},
        "keep_champion": {"report", "challenger_rejected_alert"},
        "halted": {"report"},
        "notice": {"report"},
        "nothing_to_do": {"report"},
        "report": {"finish"},
        "finish": {"run_failed", "other_alerts"},
        **{name: set() for name in ALERTS},
        "data_quality_alert": set(),
        "promoted_alert": set(),
        "challenger_rejected_alert": set(),
        "run_failed": set(),
        "other_alerts": set(),
    }


def test_every_stage_of_the_pipeline_is_a_task_of_its_own(dags: dict[str, Any]) -> None:
    named = {"get_data" if stage == "extract" else stage for stage in (*STAGES_BEFORE_DECISION, *CLOSING_STAGES)}
    assert named <= set(dags["ml_pipeline_monitoring"].task_ids)


def test_the_run_is_daily_with_a_day_as_its_interval_and_one_at_a_time(dags: dict[str, Any]) -> None:
    dag = dags["ml_pipeline_monitoring"]
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.timetable.expression == "0 0 * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_the_form_says_what_each_field_means_and_takes_only_dates_for_dates(dags: dict[str, Any]) -> None:
    params = dags["ml_pipeline_monitoring"].params
    fields = {name: params.get_param(name) for name in params}
    assert set(fields) == {"start_date", "end_date", "again", "approval"}
    assert all(field.description and field.schema["title"] for field in fields.values())
    assert {fields[name].schema["format"] for name in ("start_date", "end_date")} == {"date"}
    fields["start_date"].resolve("2015-03-01")
    with pytest.raises(ValueError, match="date"):
        fields["start_date"].resolve("01.03.2015")


def test_the_four_branches_decide_by_what_the_stage_recorded(dags: dict[str, Any]) -> None:
    dag = dags["ml_pipeline_monitoring"]
    branching = {task.task_id for task in dag.tasks if task.inherits_from_skipmixin}
    assert branching == {"initialise", "data_quality", "decide", "compare", "approve"}


def test_each_candidate_is_a_mapped_task(dags: dict[str, Any]) -> None:
    assert dags["ml_pipeline_monitoring"].get_task("train").is_mapped


def test_a_failed_task_anywhere_is_recorded_at_the_end(dags: dict[str, Any]) -> None:
    dag = dags["ml_pipeline_monitoring"]
    assert dag.get_task("run_failed").trigger_rule == "one_failed"
    watched = dag.get_task("finish").get_flat_relative_ids(upstream=True)
    told = {task.task_id for task in dag.tasks if "alert" in task.task_id}
    assert watched == set(dag.task_ids) - told - {"finish", "run_failed"}


def test_every_task_is_documented_bounded_and_tried_again(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        assert dag.doc_md
        for task in dag.tasks:
            assert task.doc_md, task.task_id
            assert task.execution_timeout <= timedelta(hours=9), task.task_id
            assert task.retries >= 1, task.task_id


def test_the_model_and_the_report_are_told_to_other_dags(dags: dict[str, Any]) -> None:
    dag = dags["ml_pipeline_monitoring"]
    outlets = {task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks if task.outlets}
    assert outlets == {"deploy": ["loanwatch_model"], "report": ["loanwatch_report"]}


PARSE = """
import socket, sys, time
import airflow.sdk, airflow.providers.standard.operators.hitl, airflow.providers.standard.operators.empty
import runpy

def refuse(*_, **__):
    raise AssertionError("a connection was opened while the file was parsed")

socket.socket.connect = refuse
began = time.process_time()
for file in sys.argv[1:]:
    runpy.run_path(file, run_name="dag")
seconds = time.process_time() - began
heavy = {"polars", "sklearn", "pyarrow", "psycopg", "loanwatch.pipeline"} & set(sys.modules)
print(seconds, *sorted(heavy))
"""


def test_parsing_is_quick_and_touches_nothing(airflow_environment: dict[str, str], tmp_path: Path) -> None:
    files = [str(file) for file in (REPOSITORY / "dags").glob("*.py")]
    unreachable = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
        "LOANWATCH_HOME": str(tmp_path / "untouched"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *files],
        env={**airflow_environment, **unreachable},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, *heavy = done.stdout.split()
    assert float(seconds) < 0.5
    assert heavy == []
    assert not (tmp_path / "untouched").exists()
