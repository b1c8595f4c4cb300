"""Put together what a run recorded, and write its page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loanwatch import __version__
from loanwatch.monitoring import CheckReport, Measurement
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.stages.decide import decision_of
from loanwatch.pipeline.steps import Step, result_of, steps_of
from loanwatch.pipeline.summary import outcome_of, report_key
from loanwatch.registry import MetricPoint, ModelVersion, metric_history, version_by_id
from loanwatch.reports import CandidateFigures, HistoryPoint, ModelFigures, RunSummary, render_run_report

__all__ = ["report_summary", "write_report"]


def write_report(context: RunContext) -> Path:
    """Write the run's HTML page from what its steps recorded, and return its path.

    Raises
    ------
    LoanwatchError
        If the run has not come to a decision yet, or the page cannot be written.
    """
    page = render_run_report(report_summary(context))
    return context.reports.write(report_key(context), page.encode())


def report_summary(context: RunContext) -> RunSummary:
    """Return everything that the page of a run shows."""
    run, contract = context.run, context.contract
    decision = decision_of(context)
    with context.database.connect() as connection:
        steps = {step.stage: step for step in steps_of(connection, run.id)}
        compared = result_of(steps, "compare")
        new = version_by_id(connection, compared["model_id"]) if "model_id" in compared else None
        realised = metric_history(connection, name=contract.name, metric="auc", until=run.window_end)
        estimated = metric_history(connection, name=contract.name, metric="estimated_auc", until=run.window_end)
    return RunSummary(
        run_id=str(run.id),
        title=contract.title,
        window_start=run.window_start,
        window_end=run.window_end,
        rows=context.result("extract")["rows"],
        outcome=outcome_of(context, steps).value,
        champion=_figures(context.champion_version),
        new_model=_figures(new),
        reasons=decision.reasons,
        data_quality=_report(steps, "data_quality"),
        data_drift=_report(steps, "data_drift"),
        concept_drift=_report(steps, "concept_drift"),
        model_drift=_report(steps, "model_drift"),
        cause=result_of(steps, "concept_drift").get("cause") or {},
        candidates=_candidates(steps, compared),
        comparison=compared.get("comparison") or {},
        history=_history(realised, estimated),
        importance=context.champion.importance if context.champion else (new.metadata["importance"] if new else {}),
        column_titles={column.name: column.label for column in contract.described},
        started_at=run.started_at,
        finished_at=steps["decide"].finished_at,
        code_version=__version__,
    )


def _report(steps: Mapping[str, Step], check: str) -> CheckReport | None:
    values = result_of(steps, check).get("report")
    return CheckReport.from_dict(values) if values else None


def _figures(version: ModelVersion | None) -> ModelFigures | None:
    if version is None:
        return None
    window = version.metadata.get("training_window")
    return ModelFigures(
        name=version.name,
        version=str(version.version),
        algorithm=version.metadata.get("algorithm"),
        deployed_at=version.deployed_at,
        digest=version.digest,
        training_window=(window["start"][:10], window["end"][:10]) if window else None,
    )


def _candidates(steps: Mapping[str, Step], compared: Mapping[str, Any]) -> tuple[CandidateFigures, ...]:
    reasons = compared.get("reasons", {})
    return tuple(
        CandidateFigures(
            name=name,
            chosen=name == compared.get("winner"),
            train=tuple(Measurement.from_dict(m) for m in step.result["train_metrics"]),
            test=tuple(Measurement.from_dict(m) for m in step.result["test_metrics"]),
            reason=reasons.get(name),
        )
        for stage, step in steps.items()
        if (name := stage.removeprefix("train:")) != stage and step.result
    )


def _history(realised: list[MetricPoint], estimated: list[MetricPoint]) -> tuple[HistoryPoint, ...]:
    """Return the windows with either figure, oldest first: the estimate stands beside the truth."""
    truth = {(p.window_start, p.window_end): p for p in realised}
    guess = {(p.window_start, p.window_end): p for p in estimated}
    return tuple(
        HistoryPoint(
            window=f"{window[0]:%Y-%m-%d}",
            auc=truth[window].value if window in truth else None,
            lower=truth[window].metadata.get("lower") if window in truth else None,
            upper=truth[window].metadata.get("upper") if window in truth else None,
            estimate=guess[window].value if window in guess else None,
        )
        for window in sorted({*truth, *guess})
    )
