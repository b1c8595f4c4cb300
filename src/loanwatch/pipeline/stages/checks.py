"""The four checks of a window, and the scoring they rest on. All of them are done in every run."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import Connection

from loanwatch.monitoring import CheckReport, Finding, ScoredWindow, Severity, Status, halt_reasons
from loanwatch.monitoring import concept_drift as concept_drift_check
from loanwatch.monitoring import data_drift as data_drift_check
from loanwatch.monitoring import data_quality as data_quality_check
from loanwatch.monitoring import performance as performance_check
from loanwatch.monitoring.cause import explain_change
from loanwatch.monitoring.label_maturity import due_labels
from loanwatch.monitoring.labels import label_numbers
from loanwatch.monitoring.profile import Profile, ProfileEdges, merge_profiles, profile_by_day, profile_window
from loanwatch.monitoring.standing import observations_of, with_standing
from loanwatch.pipeline.context import RunContext, moments_of
from loanwatch.pipeline.stages.alert import follow_halt
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.registry import logged_probabilities, record_metrics, record_verdicts, store_days, withdraw_verdicts

__all__ = ["concept_drift", "data_drift", "data_quality", "model_drift", "preprocess"]

_NO_CHAMPION = "no model was deployed when the run began"


def data_quality(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Judge the snapshot itself; the only check that can halt a run, which is told at once: later checks may fail."""
    report = data_quality_check.check(
        context.cleaned,
        context.contract,
        window=(context.run.window_start, context.run.window_end),
        reference=context.champion.reference if context.champion else None,
        now=context.run.started_at,
        earlier_leaks=[Finding.from_dict(leak) for leak in context.champion.card["leaks"]] if context.champion else (),
    )
    followed = _followed(context, connection, report)
    follow_halt(context, connection, followed, reasons=halt_reasons(report))
    return _step(followed)


def preprocess(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Write the window with the deployed model's scores, those it gave or else would give, to `scored.parquet`."""
    if context.champion is None:
        return _skipped()
    frame = context.judged.frame
    probability, logged = _probabilities(context, connection, frame)
    label, time = label_numbers(frame, context.contract), moments_of(frame, context.contract)
    learnt = context.champion.was_fitted_to(time)
    scored = ScoredWindow(
        frame=frame.select(column.name for column in context.contract.monitored),
        label=np.where(learnt, np.nan, label),
        probability=probability,
        time=time,
    )
    with context.snapshots.writing(context.key("scored.parquet")) as path:
        scored.to_frame().write_parquet(path)
    set_aside = context.cleaned.frame.height - frame.height
    return StepResult(
        status=StepStatus.PASS,
        message=f"{frame.height:,} applications scored"
        + (f", {logged:,} of them when they came in" if logged else "")
        + (f", {set_aside:,} that give the label away set aside" if set_aside else "")
        + (
            f", {int(learnt.sum()):,} not judged by their label because the model learnt from it"
            if learnt.any()
            else ""
        ),
        result={"rows": frame.height, "set_aside": set_aside, "logged": logged, "learnt": int(learnt.sum())},
    )


def _probabilities(
    context: RunContext, connection: Connection[Any], frame: pl.DataFrame
) -> tuple[NDArray[np.float64], int]:
    """Return P(positive) of each row, and how many the deployed model had already been asked about."""
    assert context.champion is not None  # noqa: S101  (the caller skips without one)
    assert context.champion_version is not None  # noqa: S101
    ids = frame[context.contract.keys.application]
    known = logged_probabilities(
        connection, model_id=context.champion_version.id, application_ids=ids.drop_nulls().to_list()
    )
    given = pl.Series([known.get(each) for each in ids], dtype=pl.Float64)
    probability = given.to_numpy().copy()
    if given.has_nulls():
        unasked = given.is_null()
        probability[unasked.to_numpy()] = context.champion.scoring.score(frame.filter(unasked))
    return probability, frame.height - given.null_count()


def data_drift(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Profile the window by day, keep the days, and compare them together with the deployed model's reference."""
    if context.champion is None or context.champion_version is None:
        return _skipped()
    days, current = _profiled(context, context.champion.reference.edges)
    window = (context.run.window_start, context.run.window_end)
    store_days(connection, context.champion_version, days, window=window, run_id=context.run.id)
    report = data_drift_check.check(
        context.champion.reference, current, context.contract, importance=context.champion.importance
    )
    report = data_drift_check.with_domain_classifier(
        report, context.champion.holdout.frame, context.judged.frame, context.contract
    )
    return _step(_followed(context, connection, report))


def _profiled(context: RunContext, edges: ProfileEdges) -> tuple[dict[date, Profile], Profile]:
    """Return the window's applications by day, and together."""
    scored, judged = context.scored(), context.judged
    given: dict[str, Any] = {
        "issues": judged.issues,
        "edges": edges,
        "probability": scored.probability,
        "label": due_labels(scored.label, scored.time, context.contract, as_of=context.run.started_at),
    }
    days = profile_by_day(judged.frame, context.contract, **given)
    together = merge_profiles(days.values())
    return days, together or profile_window(judged.frame, context.contract, **given)


def model_drift(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Compare how well the deployed model does with how well it did on its own hold-out."""
    if context.champion is None or context.champion_version is None:
        return _skipped()
    report = performance_check.check(
        context.champion.holdout,
        context.scored(),
        context.contract,
        as_of=context.run.started_at,
        hold_out=context.champion.figures,
    )
    record_metrics(
        connection,
        model_id=context.champion_version.id,
        run_id=context.run.id,
        measurements=[m for of in ("current", "estimated") for m in report.measurements.get(of, ())],
    )
    return _step(_followed(context, connection, report))


def concept_drift(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Ask whether features and label are still related as the model learnt, and what caused a change."""
    if context.champion is None:
        return _skipped()
    reference, current, as_of = context.champion.holdout, context.scored(), context.run.started_at
    found = concept_drift_check.check(reference, current, context.contract, as_of=as_of)
    cause = explain_change(
        reference,
        current,
        context.contract,
        data_quality=context.report("data_quality"),
        data_drift=context.report("data_drift"),
        concept_drift=found,
        as_of=as_of,
        relation=context.champion.relation,
    )
    report = _followed(context, connection, found)
    return _step(report, cause=cause.to_dict())


def _followed(context: RunContext, connection: Connection[Any], report: CheckReport) -> CheckReport:
    """Return the report with what is known of its findings from the windows before; as it is without a model.

    A window that the check could not judge, or whose data cannot be trusted, neither bears out a verdict nor counts
    against it.
    """
    if context.champion is None or context.champion_version is None:
        return report
    key: dict[str, Any] = {"model_id": context.champion_version.id, "check": report.check}
    window = (context.run.window_start, context.run.window_end)
    trusted = report.check == "data_quality" or not halt_reasons(context.report("data_quality"))
    if report.status is Status.SKIPPED or not trusted:
        withdraw_verdicts(connection, **key, window=window)
        return report
    verdicts, is_newest = record_verdicts(
        connection, **key, window=window, run_id=context.run.id, observed=observations_of(report)
    )
    return with_standing(report, verdicts, is_newest=is_newest)


def _step(report: CheckReport, **more: Any) -> StepResult:  # noqa: ANN401  (what the report does not hold)
    failed = report.severity >= Severity.MEDIUM
    status = StepStatus.SKIPPED if report.status is Status.SKIPPED else StepStatus.FAIL if failed else StepStatus.PASS
    return StepResult(status=status, message=report.summary, result={"report": report.to_dict(), **more})


def _skipped() -> StepResult:
    return StepResult(status=StepStatus.SKIPPED, message=_NO_CHAMPION)
