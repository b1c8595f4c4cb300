"""What a run came to, in a few built-in values: the row of every table that lists runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanwatch.monitoring import Action
from loanwatch.monitoring.standing import Change
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.outcome import Outcome
from loanwatch.pipeline.stages.decide import decision_of
from loanwatch.pipeline.steps import Step, result_of, steps_of
from loanwatch.registry import online_version

__all__ = ["CHECKS", "outcome_of", "summarise"]

CHECKS = ("data_quality", "data_drift", "model_drift", "concept_drift")


def outcome_of(context: RunContext, steps: Mapping[str, Step]) -> Outcome:
    """Return how the run ends, from what its steps came to."""
    action = decision_of(context).action
    if action is Action.HALT:
        return Outcome.HALTED
    if action is Action.NONE:
        return Outcome.NO_CHANGE
    if action is Action.NOTICE:
        return Outcome.NOTICE
    deployed = steps.get("deploy")
    if deployed is not None and deployed.result.get("deployed"):
        return Outcome.DEPLOYED if context.run.champion_id is None else Outcome.RETRAINED
    return Outcome.CHALLENGER_REJECTED


def summarise(context: RunContext) -> dict[str, Any]:
    """Return outcome, rows, each check's severity and since when, the AUC, the decision and the model."""
    with context.database.connect() as connection:
        steps = {step.stage: step for step in steps_of(connection, context.run.id)}
        online = online_version(connection, context.contract.name)
    decision = decision_of(context)
    outcome = outcome_of(context, steps)
    return {
        "run_id": context.run.id,
        "window_start": context.run.window_start.isoformat(),
        "window_end": context.run.window_end.isoformat(),
        "outcome": outcome.value,
        "rows": context.result("extract")["rows"],
        "checks": {check: _check(steps.get(check)) for check in CHECKS},
        "auc": _auc(steps),
        "action": decision.action.value,
        "reasons": list(decision.reasons),
        "model": online.title if online else None,
        "report": context.reports.location(report_key(context)),
    }


def report_key(context: RunContext) -> str:
    """Return the storage key of the run's report."""
    return f"run-{context.run.id}.html"


def _check(step: Step | None) -> dict[str, Any]:
    report = step.result.get("report") if step else None
    if report is None:
        return {"status": "skipped", "severity": None, "summary": step.message if step else None}
    verdicts = [v for v in report["details"].get("verdicts", ()) if v["since"]]
    return {
        "status": report["status"],
        "severity": report["severity"],
        "summary": report["summary"],
        "first_seen": min((v["since"] for v in verdicts), default=None),
        "news": sorted({v["subject"] for v in verdicts if Change(v["change"]).is_news}),
    }


def _auc(steps: Mapping[str, Step]) -> dict[str, Any] | None:
    """Return the deployed model's AUC in this window, or the new model's on its hold-out where none was deployed."""
    report = result_of(steps, "model_drift").get("report")
    if report is not None:
        measured = report["measurements"]
        return _interval(measured.get("current", ()), "auc", "deployed model, this window") or _interval(
            measured.get("estimated", ()), "estimated_auc", "deployed model, estimated without labels"
        )
    winner = result_of(steps, "compare").get("winner")
    if winner is None:
        return None
    return _interval(result_of(steps, f"train:{winner}")["test_metrics"], "auc", "new model, its hold-out")


def _interval(measurements: Sequence[Mapping[str, Any]], name: str, of: str) -> dict[str, Any] | None:
    for m in measurements:
        if m["name"] == name:
            return {"value": m["value"], "lower": m["lower"], "upper": m["upper"], "of": of}
    return None
