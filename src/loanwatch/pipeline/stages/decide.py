"""Turn the checks into a decision, and tell somebody what moved."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from psycopg import Connection

from loanwatch.alerts import Event
from loanwatch.monitoring import Action, CheckReport, Decision, Status
from loanwatch.monitoring import decide as decide_by_policy
from loanwatch.monitoring.labels import label_numbers
from loanwatch.pipeline.bundle import DeployedModel
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.stages.alert import follow_verdicts
from loanwatch.pipeline.steps import StepResult, StepStatus

__all__ = ["decide", "decision_of"]

_EVENT_OF_CHECK = {
    "data_drift": Event.DATA_DRIFT,
    "model_drift": Event.MODEL_DRIFT,
    "concept_drift": Event.CONCEPT_DRIFT,
}


def decide(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Apply the policy; tell what changed in the verdicts of each check, unless the data were not fit for them."""
    quality = context.report("data_quality")
    reports = {check: _report_or_none(context, check) for check in _EVENT_OF_CHECK}
    decision = decide_by_policy(
        data_quality=quality, **reports, model_age_days=_model_age_days(context), policy=context.contract.policy
    )
    decision = _as_far_as_possible(context, decision)
    found = {} if decision.action is Action.HALT else {check: report for check, report in reports.items() if report}
    told = [
        check
        for check, report in found.items()
        if report.status is not Status.SKIPPED
        and follow_verdicts(context, connection, report, event=_EVENT_OF_CHECK[check])
    ]
    return StepResult(
        status=StepStatus.FAIL if decision.action is Action.HALT else StepStatus.PASS,
        message=f"{decision.action.value}: {decision.reasons[0] if decision.reasons else ''}".rstrip(": "),
        result={
            "action": decision.action.value,
            "reasons": list(decision.reasons),
            "train_since": decision.train_since.isoformat() if decision.train_since else None,
            "alerts": [_EVENT_OF_CHECK[check].value for check in told],
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


def _as_far_as_possible(context: RunContext, decision: Decision) -> Decision:
    """Return the decision in view of what the policy cannot see: a foreign model, unknown labels, a past window."""
    if decision.action is Action.TRAIN_FIRST and context.champion_is_foreign:
        reason = "The deployed model was trained under another contract and cannot judge these applications."
        return replace(decision, action=Action.RETRAIN, reasons=(reason,))
    if decision.action is Action.RETRAIN and context.champion is not None:
        known = int(np.isfinite(label_numbers(context.judged.frame, context.contract)).sum())
        if known == 0:
            waits = "Retraining waits for labels: none of the window's applications has one yet."
            return replace(decision, action=Action.NOTICE, reasons=(*decision.reasons, waits))
        if _is_past(context):
            learnt = _trained_until(context.champion)
            stays = (
                "No retraining on a window of the past: the deployed model learnt from applications up to "
                f"{learnt:%Y-%m-%d}, and a model of older ones must not replace it."
            )
            return replace(decision, action=Action.NOTICE, reasons=(*decision.reasons, stays))
    return decision


def _is_past(context: RunContext) -> bool:
    age = _model_age_days(context)
    return age is not None and age < 0


def _report_or_none(context: RunContext, check: str) -> CheckReport | None:
    result = context.result(check)
    return CheckReport.from_dict(result["report"]) if "report" in result else None


def _model_age_days(context: RunContext) -> float | None:
    """Age of the data the model learnt from, at the end of the window: a re-run of an old window finds no old model."""
    if context.champion is None:
        return None
    return (context.run.window_end - _trained_until(context.champion)).total_seconds() / 86_400


def _trained_until(model: DeployedModel) -> datetime:
    return datetime.fromisoformat(model.card["training_window"]["end"])
