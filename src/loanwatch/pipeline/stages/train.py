"""Fetch what may train, and train one candidate."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import polars as pl
from psycopg import Connection

from loanwatch.etl import extract_window
from loanwatch.features import Cleaned
from loanwatch.monitoring import Measurement
from loanwatch.monitoring.labels import label_numbers
from loanwatch.pipeline.context import RunContext
from loanwatch.pipeline.runs import halted_windows
from loanwatch.pipeline.stages.decide import decision_of
from loanwatch.pipeline.steps import StepResult, StepStatus
from loanwatch.registry import load_artifact, save_artifact
from loanwatch.scoring import ScoringModel

if TYPE_CHECKING:
    from loanwatch.training import Candidate, Split

__all__ = ["load_candidate", "relation_since", "train", "training_data", "training_rows", "training_split"]

_CARD = "candidate.json"
_TEST = "test_probability.parquet"


def training_data(context: RunContext, connection: Connection[Any]) -> StepResult:
    """Write `training.parquet`: the window, with the history the contract allows, after the last change of relation."""
    run, contract = context.run, context.contract
    start, why = _training_start(context)
    with context.snapshots.writing(context.key("training.parquet")) as path:
        extraction = extract_window(context.database, contract, start=start, end=run.window_end, destination=path)
    halted = halted_windows(connection, run.contract, start=start, end=run.window_start)
    return StepResult(
        status=StepStatus.PASS,
        message=f"{extraction.rows:,} applications since {start:%Y-%m-%d}, {why}"
        + (f"; {len(halted)} halted windows left out" if halted else ""),
        result={
            "rows": extraction.rows,
            "start": start.isoformat(),
            "end": run.window_end.isoformat(),
            "why": why,
            "left_out": [[begin.isoformat(), end.isoformat()] for begin, end in halted],
        },
    )


def train(candidate: str) -> Callable[[RunContext, Connection[Any]], StepResult]:
    """Return the stage that trains one candidate and keeps its files."""

    def stage(context: RunContext, connection: Connection[Any]) -> StepResult:  # noqa: ARG001
        from loanwatch.training import train_candidate  # noqa: PLC0415  (scikit-learn: no other stage waits for it)

        trained = train_candidate(
            training_split(context), context.contract, candidate, seed=context.contract.training.random_seed
        )
        digest = save_artifact(context.snapshots, context.key(f"candidates/{candidate}"), _candidate_files(trained))
        auc = next(m for m in trained.test_metrics if m.name == "auc")
        return StepResult(
            status=StepStatus.PASS,
            message=f"test AUC {auc.value:.3f} after {trained.seconds:.1f} s",
            result={
                "digest": digest,
                "seconds": trained.seconds,
                "train_metrics": [m.to_dict() for m in trained.train_metrics],
                "test_metrics": [m.to_dict() for m in trained.test_metrics],
            },
        )

    return stage


def training_rows(context: RunContext) -> Cleaned:
    """Return the applications that may train: none that gives the label away, none of a window that was halted.

    A label that is younger than the contract's delay is taken away: it is not the last word yet.
    """
    cleaned = context.without_leaks(context.read_cleaned("training.parquet"))
    contract = context.contract
    time, label = pl.col(contract.time.column), pl.col(contract.label.column)
    frame, issues = cleaned.frame, cleaned.issues
    for begin, end in context.result("training_data")["left_out"]:
        inside = time.is_between(datetime.fromisoformat(begin), datetime.fromisoformat(end), closed="left")
        keep = frame.select(~inside.fill_null(value=False)).to_series()
        frame, issues = frame.filter(keep), issues.filter(keep)
    if contract.label.delay_days:
        due = context.run.started_at - timedelta(days=contract.label.delay_days)
        frame = frame.with_columns(pl.when(time <= due).then(label).alias(contract.label.column))
    return Cleaned(frame=frame, issues=issues)


def training_split(context: RunContext) -> "Split":
    """Return the rows that train and the rows that test; the same in every process."""
    from loanwatch.training import split  # noqa: PLC0415  (scikit-learn: no other stage waits for it)

    return split(training_rows(context).frame, context.contract)


def load_candidate(context: RunContext, name: str) -> "Candidate":
    """Return a candidate that was trained before, its files checked against their digest."""
    from loanwatch.training import Candidate  # noqa: PLC0415  (scikit-learn: no other stage waits for it)

    result = context.result(f"train:{name}")
    files = load_artifact(context.snapshots, context.key(f"candidates/{name}"), result["digest"])
    card = json.loads(files.pop(_CARD))
    test = pl.read_parquet(BytesIO(files.pop(_TEST)))
    return Candidate(
        name=name,
        parameters=card["parameters"],
        model=ScoringModel.from_files(files),
        train_metrics=tuple(Measurement.from_dict(m) for m in card["train_metrics"]),
        test_metrics=tuple(Measurement.from_dict(m) for m in card["test_metrics"]),
        test_probability=test["probability"].to_numpy(),
        feature_importance=card["importance"],
        seconds=result["seconds"],
    )


def _candidate_files(candidate: "Candidate") -> dict[str, bytes]:
    card = {
        "parameters": dict(candidate.parameters),
        "train_metrics": [m.to_dict() for m in candidate.train_metrics],
        "test_metrics": [m.to_dict() for m in candidate.test_metrics],
        "importance": dict(candidate.feature_importance),
    }
    test = BytesIO()
    pl.DataFrame({"probability": candidate.test_probability}).write_parquet(test)
    return {**candidate.model.to_files(), _CARD: json.dumps(card).encode(), _TEST: test.getvalue()}


def _training_start(context: RunContext) -> tuple[datetime, str]:
    """Return where the training rows begin and why: history, but not across a change of the relation."""
    run, training = context.run, context.contract.training
    start = run.window_start - timedelta(days=training.history_days)
    since = relation_since(context)
    if since is None or since <= start:
        days = training.history_days
        return start, f"the window and {days} days before it" if days else "the window"
    if since >= run.window_start:
        if _labelled_since(context, since) < training.minimum_rows:
            return run.window_start, "the window: too few applications came after the relation changed"
        return since, "after the relation changed"
    return since, "the window and its history after the relation changed"


def relation_since(context: RunContext) -> datetime | None:
    """Return since when the relation is the present one: the newest change that this or an earlier window dated."""
    earlier = context.champion.card.get("relation_since") if context.champion else None
    dated = [decision_of(context).train_since, datetime.fromisoformat(earlier) if earlier else None]
    return max((moment for moment in dated if moment is not None), default=None)


def _labelled_since(context: RunContext, since: datetime) -> int:
    frame = context.judged.frame.filter(pl.col(context.contract.time.column) >= since)
    labels = label_numbers(frame, context.contract)
    return int((labels == labels).sum())  # noqa: PLR0124  (nan, a label that is not known, differs from itself)
