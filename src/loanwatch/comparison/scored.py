"""How well the scores fit the labels in both tables, and whether that relation changed."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from loanwatch.comparison.reading import Block
from loanwatch.contract import Contract
from loanwatch.monitoring import CheckReport, ScoredWindow, Severity, Status
from loanwatch.statistics import FloatArray

if TYPE_CHECKING:
    from loanwatch.monitoring.cause import Cause

__all__ = ["SCORED_ROWS", "check_scores", "lost_scores"]

_WRONG_WAY = 0.45
"""An AUC surely below this is no weak model."""
_TOO_CLOSE, _PERFECT = 1.25, 0.9999
"""Models are seldom so much less sure than they could be of rows they have not seen."""
SCORED_ROWS = 50_000
"""Rows of each table that performance and relation are judged on, evenly spaced."""


def check_scores(
    reference: Block,
    current: Block,
    contract: Contract,
    *,
    data_drift: CheckReport,
    data_quality: CheckReport,
    as_of: datetime | None = None,
) -> "tuple[dict[str, CheckReport], Cause | None]":
    """Check model drift and concept drift of the scores that the tables hold, and name the cause of a change.

    Parameters
    ----------
    reference, current : Block
        Evenly spaced rows of the tables.
    contract : Contract
    data_drift, data_quality : CheckReport
        Of the whole tables.
    as_of : datetime, optional
        The moment of judging, aware; labels younger than the contract's delay are not judged.

    Returns
    -------
    dict of str to CheckReport
    Cause or None
        None where nothing could be judged.
    """
    # Only where both scores and labels exist is either check possible; the modules are heavy.
    from loanwatch.comparison.windows import performance_by_window  # noqa: PLC0415
    from loanwatch.monitoring import concept_drift, performance  # noqa: PLC0415
    from loanwatch.monitoring.cause import explain_change  # noqa: PLC0415

    if reason := _impossible(reference, current):
        skipped = (
            CheckReport(check=check, status=Status.SKIPPED, summary=reason, limitations=(reason,))
            for check in ("model_drift", "concept_drift")
        )
        return {report.check: report for report in skipped}, lost_scores(reference, current)
    first, second = _window(reference, contract), _window(current, contract)
    known = first.labelled()
    # Performance and cause both rest on it.
    hold_out = performance.HoldOut.of(known, contract) if 0 < known.positive.sum() < known.rows else None
    relation = concept_drift.check(first, second, contract, as_of=as_of)
    fit = performance.check(first, second, contract, as_of=as_of, hold_out=hold_out)
    windows = performance_by_window(first, second, contract, as_of=as_of) if contract.time.column else []
    fit = replace(fit, details={**fit.details, "windows": windows})
    doubts = tuple(_doubts(known, second, contract, as_of=as_of, found=max(fit.severity, relation.severity)))
    fit = replace(fit, limitations=(*fit.limitations, *doubts))
    reports = {"model_drift": fit, "concept_drift": relation}
    cause = explain_change(
        first,
        second,
        contract,
        data_quality=data_quality,
        data_drift=data_drift,
        concept_drift=relation,
        performance=fit,
        as_of=as_of,
        relation=hold_out.relation if hold_out else None,
    )
    if doubts and cause.verdict.value in ("relation", "both", "score"):
        cause = replace(cause, sentence=f"{cause.sentence} But first: {doubts[0][:1].lower()}{doubts[0][1:]}")
    return reports, cause


def lost_scores(reference: Block, current: Block) -> "Cause | None":
    """Return the cause where the reference has probabilities and the current table has none; otherwise nothing."""
    if reference.score is None or current.score is None:
        return None
    before, now = (score[np.isfinite(score)] for score in (reference.score, current.score))
    if not before.size or not _are_probabilities(before) or (now.size and _are_probabilities(now)):
        return None
    from loanwatch.monitoring.cause import Cause, Verdict  # noqa: PLC0415  (as in `check_scores`)

    what = f"lie between {now.min():.4g} and {now.max():.4g}" if now.size else "are all missing"
    return Cause(
        verdict=Verdict.SCORE,
        sentence=(
            f"The scores of the current table {what}, where the reference's are probabilities: look first whether they "
            "are those of the same model on the same scale."
        ),
        retrain=False,
    )


def of_columns(cause: "Cause | None", columns: CheckReport) -> "Cause | None":
    """Return the cause, which is the data where a compared column is lost or holds something else altogether."""
    if cause is None or columns.severity < Severity.HIGH:
        return cause
    from loanwatch.monitoring.cause import Verdict  # noqa: PLC0415  (as in `check_scores`)

    sentence = f"The tables do not hold the same: {columns.summary} Repair the feed; do not retrain on it."
    return replace(cause, verdict=Verdict.QUALITY, sentence=sentence, retrain=False, relation={})


def _are_probabilities(scores: FloatArray) -> bool:
    return bool(((scores >= 0.0) & (scores <= 1.0)).all())


def _doubts(
    reference: ScoredWindow, current: ScoredWindow, contract: Contract, *, as_of: datetime | None, found: Severity
) -> Iterator[str]:
    """Say where the scores cannot be what they are taken for: probabilities of the positive label, of rows not seen."""
    from loanwatch.monitoring.label_maturity import judge_labels  # noqa: PLC0415  (as in `check_scores`)
    from loanwatch.statistics.calibration import calibration_line  # noqa: PLC0415
    from loanwatch.statistics.delong import delong_estimate  # noqa: PLC0415

    positive = reference.positive
    if not 0 < positive.sum() < reference.rows:
        return
    ranked = delong_estimate(positive, reference.probability)
    if ranked.upper < _WRONG_WAY:
        yield (
            f"The scores rank the reference's labels the wrong way round (AUC {ranked.value:.2f}): look whether they "
            "are those of the other label."
        )
    now = judge_labels(current, contract, as_of=as_of).window
    if found < Severity.MEDIUM or not 0 < now.positive.sum() < now.rows:
        return
    turned = delong_estimate(now.positive, now.probability)
    if turned.upper < _WRONG_WAY < 0.5 < ranked.lower:
        yield (
            f"The scores rank the labels of the current table the wrong way round (AUC {turned.value:.2f}, "
            f"{ranked.value:.2f} in the reference): look whether its labels are coded the other way."
        )
    before, after = (calibration_line(w.positive, w.probability).slope for w in (reference, now))
    if ranked.value > _PERFECT or (before.lower > _TOO_CLOSE and after.upper < before.lower):
        slope = f", calibration slope {before.value:.2f}, 1 is right" if math.isfinite(before.value) else ""
        figures = f"AUC {ranked.value:.2f}{slope}"
        yield (
            f"The reference's labels follow its scores more closely than probabilities do ({figures}): make sure "
            "that the model was not trained on these rows, which looks like this without any drift."
        )


def _impossible(reference: Block, current: Block) -> str | None:
    for side, block in (("reference", reference), ("current table", current)):
        if block.score is None or not np.isfinite(block.score).any():
            return f"The {side} has no scores: neither performance nor relation can be judged."
    if reference.label is None or np.isnan(reference.label).all():
        return "The reference has no known labels: neither performance nor relation can be judged."
    return None


def _window(block: Block, contract: Contract) -> ScoredWindow:
    rows = block.frame.height
    score = block.score if block.score is not None else np.full(rows, np.nan)
    label = block.label if block.label is not None else np.full(rows, np.nan)
    # Rows without a time share one moment: a change among them is found, and not dated.
    time = np.zeros(rows, dtype="datetime64[us]")
    if contract.time.column in block.frame.columns:
        times = block.frame[contract.time.column].dt.replace_time_zone(None)
        time = times.fill_null(strategy="forward").fill_null(strategy="backward").to_numpy()
    features = [c.name for c in contract.monitored if c.name in block.frame.columns]
    window = ScoredWindow(
        frame=block.frame.select(features) if features else pl.DataFrame(height=rows),
        label=label,
        probability=np.where(np.isnan(score), 0.5, score),
        time=np.where(np.isnat(time), np.datetime64(0, "us"), time),
    )
    scored = np.isfinite(score)
    return window if scored.all() else window.where(scored)
