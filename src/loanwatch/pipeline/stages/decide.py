"""Turn the checks into a decision, and tell somebody what is wrong."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from loanwatch.alerts import Event, open_alert
from loanwatch.monitoring import Action, CheckReport, Decision, Severity
from loanwatch.monitoring import decide as decide_by_policy
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.steps import StepResult, StepStatus

__all__ = ["decide", "decision_of"]

_EVENT_OF_CHECK = {
    "data_drift": Event.DATA_DRIFT,
    "model_drift": Event.MODEL_DRIFT,
    "concept_drift": Event.CONCEPT_DRIFT,
}


def decide(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Apply the policy; open an alert for each check that found something, one for the run if it halts."""
    quality = context.report("data_quality")
    reports = {check: _report_or_none(context, check) for check in _EVENT_OF_CHECK}
    decision = decide_by_policy(
        data_quality=quality, **reports, model_age_days=_model_age_days(context), policy=context.contract.policy
    )
    if decision.action is Action.HALT:
        _alert(context, connection, Event.HALTED, quality.severity, " ".join(decision.reasons))
    else:
        for check, event in _EVENT_OF_CHECK.items():
            report = reports[check]
            if report is not None and report.severity > Severity.NONE:
                _alert(context, connection, event, report.severity, report.summary)
    return StepResult(
        status=StepStatus.FAIL if decision.action is Action.HALT else StepStatus.PASS,
        message=f"{decision.action.value}: {decision.reasons[0] if decision.reasons else ''}".rstrip(": "),
        result={
            "action": decision.action.value,
            "reasons": list(decision.reasons),
            "train_since": decision.train_since.isoformat() if decision.train_since else None,
        },
    )


def decision_of(context: RunContext) -> Decision:
    """Return what the stage decided."""
    values = context.result("decide")
    since = values["train_since"]
    return Decision(
        action=Action(values["action"]),
        reasons=tuple(values["reasons"]),
        train_since=datetime.fromisoformat(since) if since else None,
    )


def _report_or_none(context: RunContext, check: str) -> CheckReport | None:
    result = context.result(check)
    return CheckReport.from_dict(result["report"]) if "report" in result else None


def _model_age_days(context: RunContext) -> float | None:
    """Age of the data the model learnt from, at the end of the window: a re-run of an old window finds no old model."""
    if context.champion is None:
        return None
    trained_until = context.champion.card["training_window"]["end"]
    return (context.run.window_end - type(context.run.window_end).fromisoformat(trained_until)).total_seconds() / 86_400


def _alert(context: RunContext, connection: Connection[Any], event: Event, severity: Severity, message: str) -> None:
    run = context.run
    open_alert(
        connection,
        event=event,
        severity=severity,
        message=f"{context.contract.title}, {run.window}: {message}",
        run_id=run.id,
        model_id=run.champion_id,
        dedup_key=f"{run.contract}/{event.value}/{run.window}",
    )
