"""The order of the stages: the one place that knows it.

    extract → data_quality → preprocess → data_drift → model_drift → concept_drift → decide
      → (training_data → train:<candidate> … → compare → (deploy))  → report → finish

`run_window` goes all the way in one process. A scheduler asks for one stage at a time with `perform_stage` and
follows the same order with `stages_before_decision`, `training_stages` and `closing_stages`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from loanwatch.alerts import Event
from loanwatch.contract import Contract
from loanwatch.database import Database, migrate
from loanwatch.errors import LoanwatchError, RunBusyError, WindowError
from loanwatch.logging import get_logger
from loanwatch.monitoring import Action, Severity
from loanwatch.pipeline import stages
from loanwatch.pipeline.context import RunContext, open_run
from loanwatch.pipeline.outcome import Outcome
from loanwatch.pipeline.perform import StepFunction, perform
from loanwatch.pipeline.runs import Run, begin_run, end_run, find_run
from loanwatch.pipeline.stages.alert import open_run_alert
from loanwatch.pipeline.stages.decide import decision_of
from loanwatch.pipeline.steps import Step
from loanwatch.settings import Settings

__all__ = [
    "CLOSING_STAGES",
    "STAGES_BEFORE_DECISION",
    "fail_run",
    "perform_stage",
    "run_window",
    "stage_function",
    "training_stages",
]

_log = get_logger(__name__)

STAGES_BEFORE_DECISION = (
    "extract",
    "data_quality",
    "preprocess",
    "data_drift",
    "model_drift",
    "concept_drift",
    "decide",
)
CLOSING_STAGES = ("report", "finish")

_FUNCTIONS: dict[str, StepFunction] = {
    "extract": stages.extract,
    "data_quality": stages.data_quality,
    "preprocess": stages.preprocess,
    "data_drift": stages.data_drift,
    "model_drift": stages.model_drift,
    "concept_drift": stages.concept_drift,
    "decide": stages.decide,
    "training_data": stages.training_data,
    "compare": stages.compare,
    "deploy": stages.deploy,
    "report": stages.report,
    "finish": stages.finish,
}


def training_stages(contract: Contract) -> tuple[str, ...]:
    """Return the stages between a decision to train and a deployment; the `train:` ones can go side by side."""
    return ("training_data", *(f"train:{name}" for name in contract.training.candidates), "compare")


def stage_function(stage: str) -> StepFunction:
    """Return the function of a stage.

    Raises
    ------
    LoanwatchError
        If there is no such stage.
    """
    if stage.startswith("train:"):
        return stages.train(stage.removeprefix("train:"))
    if stage not in _FUNCTIONS:
        raise LoanwatchError(
            f"there is no stage {stage!r}: the stages are {', '.join(_FUNCTIONS)} and train:<candidate>"
        )
    return _FUNCTIONS[stage]


def run_window(
    settings: Settings,
    database: Database,
    *,
    start: datetime,
    end: datetime,
    again: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Run:
    """Take one window all the way, or continue where an earlier call was interrupted.

    Parameters
    ----------
    settings : Settings
        Where files lie and which contract is in force.
    database : Database
        Source tables and monitoring schema, which is migrated if needed.
    start, end : datetime
        Aware; the window is [start, end).
    again : bool
        Take a window anew that was finished before; without it the finished run is returned.
    tell : callable, optional
        Called with the name of each stage before it begins.

    Returns
    -------
    Run
        Finished; `summary` and `outcome` say what it came to.

    Raises
    ------
    LoanwatchError
        What stopped the run; it is recorded as failed, an alert is opened, and asking again continues it.
    """
    migrate(database)
    run = begin_run(database, settings.contract(), start=start, end=end, again=again)
    if run.status == "finished":
        return run
    context = RunContext(run, database=database, settings=settings)
    try:
        for stage in _stages(context):
            if tell is not None:
                tell(stage)
            perform(context, stage, stage_function(stage))
    except RunBusyError:  # another process works on this run, and that one's failures are its own
        raise
    except Exception as error:
        fail_run(context, error)
        raise
    return find_run(database, run.id)


def perform_stage(run_id: int, stage: str, *, settings: Settings) -> Step:
    """Do one stage of a run, for a scheduler that knows only ids.

    Raises
    ------
    LoanwatchError
        What stopped the stage; it can be asked for again.
    """
    return perform(open_run(run_id, settings=settings), stage, stage_function(stage))


def fail_run(context: RunContext, error: BaseException) -> None:
    """Record that a run could not be completed, and open an alert; never hides the error that stopped it."""
    run = context.run
    message = str(error) if isinstance(error, LoanwatchError) else f"{type(error).__name__}: {error}"
    # a window without applications is the only one that extraction refuses
    event = Event.NO_DATA if isinstance(error, WindowError) else Event.RUN_FAILED
    try:
        with context.database.connect() as connection:
            summary = {"error": message[:2000]}
            if not end_run(connection, run, status="failed", outcome=Outcome.FAILED.value, summary=summary):
                return
            open_run_alert(
                context,
                connection,
                event=event,
                severity=Severity.HIGH,
                message=f"{message[:2000]} Run the window again to continue.",
            )
    except Exception as second:  # noqa: BLE001  (the database may be what failed)
        _log.warning("the failure could not be recorded", run_id=run.id, reason=str(second))


def _stages(context: RunContext) -> Iterator[str]:
    yield from STAGES_BEFORE_DECISION
    if decision_of(context).action in (Action.TRAIN_FIRST, Action.RETRAIN):
        yield from training_stages(context.contract)
        if context.result("compare")["promote"]:
            yield "deploy"
    yield from CLOSING_STAGES
