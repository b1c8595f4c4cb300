"""The pipeline, every day: wiring only.

Each task is one call of `loanwatch.orchestration`, which calls the pipeline with the run's id; what a task does lies
in `loanwatch.pipeline`. Nothing is connected to, and no id is made, while this file is parsed.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import (
    Asset,
    CronDataIntervalTimetable,
    Param,
    TriggerRule,
    Variable,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from loanwatch import orchestration

MODEL = Asset(name="loanwatch_model", uri="loanwatch://model/online", group="loanwatch")
REPORT = Asset(name="loanwatch_report", uri="loanwatch://report/run", group="loanwatch")

# Every stage is done once by run id, however often it is asked for, so trying again is always safe.
DEFAULTS = {
    "owner": "loanwatch",
    "retries": 3,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(hours=1),
}

PARAMS = {
    "start_date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Start date",
        description="First day of the window, such as 2015-03-01 (UTC). Empty: the run's data interval.",
    ),
    "end_date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="End date",
        description="First day after the window, such as 2015-04-01 for the whole of March. Empty: the data interval.",
    ),
    "again": Param(
        False,
        type="boolean",
        title="Take it again",
        description="Take a window anew that was finished before. Without it a finished window is left as it is.",
    ),
    "approval": Param(
        None,
        type=["null", "boolean"],
        title="Approval",
        description="Ask a person before a model goes online. Empty: as the variable loanwatch_approval says, else no.",
    ),
}


def _run_id() -> int:
    """Return what `initialise` began; not an argument, which would draw an edge from there to every task."""
    return int(get_current_context()["ti"].xcom_pull(task_ids="initialise"))


def _approval_wanted() -> bool:
    wanted = get_current_context()["params"]["approval"]
    if wanted is None:
        wanted = Variable.get("loanwatch_approval", default="false").strip().lower() in {"true", "yes", "on", "1"}
    return bool(wanted)


@task.short_circuit
def initialise() -> int | None:
    """Find the window and begin its run; a window that was finished is left as it is, and all else is skipped."""
    context = get_current_context()
    params = context["params"]
    run = orchestration.begin(
        start_date=params["start_date"],
        end_date=params["end_date"],
        interval_start=context.get("data_interval_start"),
        interval_end=context.get("data_interval_end"),
        run_after=context["dag_run"].run_after,
        again=params["again"],
    )
    return None if run.status == "finished" else run.id


@task
def get_data() -> str:
    """Write the window's applications into the run's snapshot; every later stage reads that."""
    return orchestration.perform(_run_id(), "extract").message


@task.branch
def data_quality() -> list[str]:
    """Judge the snapshot itself; when it is not fit to judge or train a model, tell at once."""
    return orchestration.after_data_quality(orchestration.perform(_run_id(), "data_quality").result)


@task
def preprocess() -> str:
    """Score the window with the deployed model, through the features it was trained with."""
    return orchestration.perform(_run_id(), "preprocess").message


@task
def data_drift() -> str:
    """Compare what the applications look like with the deployed model's reference."""
    return orchestration.perform(_run_id(), "data_drift").message


@task
def model_drift() -> str:
    """Compare how well the deployed model does with how well it did on its own hold-out."""
    return orchestration.perform(_run_id(), "model_drift").message


@task
def concept_drift() -> str:
    """Ask whether the relation between features and label is still the one the model learnt."""
    return orchestration.perform(_run_id(), "concept_drift").message


@task.branch
def decide() -> list[str]:
    """Apply the policy to the four checks: train, or end the run without training."""
    return orchestration.after_decision(orchestration.perform(_run_id(), "decide").result)


@task
def training_data() -> list[str]:
    """Write what may train into a second snapshot; the result names the candidates."""
    orchestration.perform(_run_id(), "training_data")
    return orchestration.candidates_of(_run_id())


@task(
    map_index_template="{{ candidate }}",
    execution_timeout=timedelta(hours=3),
    doc_md="Train one candidate and keep its files; the candidates train side by side.",
)
def train(candidate: str) -> str:
    """Train one candidate."""
    get_current_context()["candidate"] = candidate
    return orchestration.perform(_run_id(), f"train:{candidate}").message


@task.branch
def compare() -> list[str]:
    """Hold the best candidate against the deployed model on the same held-out rows."""
    compared = orchestration.perform(_run_id(), "compare").result
    return orchestration.after_comparison(compared, approval=_approval_wanted())


@task(outlets=[MODEL], trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
def deploy(*, outlet_events: Any = None) -> str:
    """Put the challenger online in one transaction; running predictors pick it up without a restart."""
    step = orchestration.perform(_run_id(), "deploy")
    if not step.result["deployed"]:
        raise AirflowSkipException(step.message)
    outlet_events[MODEL].extra = {"run_id": step.run_id, "model_id": step.result["model_id"]}
    return step.message


@task(outlets=[REPORT], trigger_rule=TriggerRule.NONE_FAILED)
def report(*, outlet_events: Any = None) -> str:
    """Write the run's page."""
    step = orchestration.perform(_run_id(), "report")
    outlet_events[REPORT].extra = {"run_id": step.run_id, **step.result}
    return step.message


@task
def finish() -> str:
    """Record what the run came to."""
    return orchestration.perform(_run_id(), "finish").message


@task(trigger_rule=TriggerRule.ONE_FAILED, retries=1)
def run_failed() -> None:
    """Record that the run could not be completed, tell it, and fail, so that this DAG run is marked as failed."""
    run = get_current_context()["ti"].xcom_pull(task_ids="initialise")
    why = orchestration.fail(run) if run else "the run could not be begun"
    orchestration.deliver()
    raise AirflowFailException(why)


@task(execution_timeout=timedelta(minutes=5))
def tell(event: str) -> str:
    """Send the run's alerts of one kind to Slack."""
    sent = orchestration.tell(_run_id(), event)
    if not sent:
        raise AirflowSkipException("nothing to tell")
    return f"{sent} sent"


@task(execution_timeout=timedelta(minutes=5))
def other_alerts() -> None:
    """Deliver what else is owed: broken metric rules, alerts that closed, reminders."""
    if not orchestration.deliver():
        raise AirflowSkipException("there is no channel to tell")


def _alert(name: str, *, event: str) -> Any:
    return tell.override(task_id=f"{name}_alert")(event)


def _ending(task_id: str, doc: str) -> EmptyOperator:
    return EmptyOperator(task_id=task_id, doc_md=doc)


@dag(
    dag_id="ml_pipeline_monitoring",
    dag_display_name="ML pipeline and monitoring",
    description="Fetch a window of applications, check it, judge the deployed model, and retrain on evidence.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2015, 1, 1),  # noqa: DTZ001  (Airflow reads it in the timetable's zone)
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULTS,
    params=PARAMS,
    tags=["loanwatch"],
)
def ml_pipeline_monitoring() -> None:
    """Wire the stages in the order of `loanwatch.pipeline.flow`."""
    quality, decided, candidates, compared, deployed = (
        data_quality(), decide(), training_data(), compare(), deploy()
    )  # fmt: skip
    checks = {"data_drift": data_drift(), "model_drift": model_drift(), "concept_drift": concept_drift()}
    approve = ApprovalOperator(
        task_id="approve",
        subject="Put the new model of run {{ ti.xcom_pull(task_ids='initialise') }} online?",
        body="`loanwatch models list` has the comparison with the deployed model.",
        defaults=["Reject"],
        response_timeout=timedelta(hours=8),
        execution_timeout=timedelta(hours=9),
        doc_md="Wait for a person's answer under Required actions; without one in time the deployed model stays.",
    )
    kept = _ending("keep_champion", "No candidate is better on the same held-out rows: the deployed model stays.")
    endings = [
        _ending("halted", "The data are not fit: nothing is trained."),
        _ending("notice", "Something moved, the model is still good: nothing is trained."),
        _ending("nothing_to_do", "Nothing moved."),
    ]

    initialise() >> get_data() >> quality >> preprocess() >> [checks["data_drift"], checks["model_drift"]]
    # what caused a change of the relation is found with what moved in the data
    checks["data_drift"] >> checks["concept_drift"]
    list(checks.values()) >> decided
    quality >> _alert("data_quality", event="halted")
    for check, checked in checks.items():
        [checked, decided] >> _alert(check, event=check)
    decided >> [candidates, *endings]
    train.expand(candidate=candidates) >> compared
    compared >> [approve, deployed, kept]
    approve >> deployed >> _alert("promoted", event="promoted")
    kept >> _alert("challenger_rejected", event="challenger_rejected")
    [*endings, deployed, kept] >> report() >> finish() >> [run_failed(), other_alerts()]


ml_pipeline_monitoring()
