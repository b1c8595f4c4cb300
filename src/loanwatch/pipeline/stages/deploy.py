"""Put the challenger online."""

from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, create_default_rules
from loanwatch.errors import RunBusyError
from loanwatch.monitoring import Measurement, Severity
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.stages.alert import open_run_alert
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.registry import deploy as put_online
from loanwatch.registry import record_metrics, version_by_id

__all__ = ["deploy"]


def deploy(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Switch to the registered challenger, with its figures and the journal, in this step's one transaction."""
    run, compared = context.run, context.result("compare")
    version = version_by_id(connection, compared["model_id"])
    try:
        put_online(
            connection,
            version,
            expected_champion_id=run.champion_id,
            reason=compared["reason"],
            actor="pipeline",
            run_id=run.id,
        )
    except RunBusyError as error:
        open_run_alert(
            context, connection, event=Event.CHALLENGER_REJECTED, severity=Severity.MEDIUM, message=str(error)
        )
        return StepResult(status=StepStatus.FAIL, message=str(error), result={"deployed": False, "reason": str(error)})
    create_default_rules(connection, version.name, context.contract.policy)
    record_metrics(
        connection,
        model_id=version.id,
        run_id=run.id,
        measurements=[
            Measurement.from_dict({**m, "name": f"holdout_{m['name']}"})
            for m in version.metadata["test_metrics"].values()
        ],
    )
    if run.champion_id is not None:
        open_run_alert(
            context,
            connection,
            event=Event.PROMOTED,
            severity=Severity.LOW,
            message=f"{version.title} replaced the deployed model. {compared['reason']}",
            model_id=version.id,
        )
    return StepResult(
        status=StepStatus.PASS, message=f"{version.title} is online", result={"deployed": True, "model_id": version.id}
    )
