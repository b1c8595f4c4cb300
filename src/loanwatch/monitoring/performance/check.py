"""Model drift: whether the deployed model does worse than on its own hold-out."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract, Policy
from loanwatch.monitoring.concept_drift.sentences import applicants_in
from loanwatch.monitoring.label_maturity import JudgedLabels, judge_labels
from loanwatch.monitoring.performance.estimated import estimate_performance
from loanwatch.monitoring.performance.holdout import HoldOut
from loanwatch.monitoring.performance.metrics import measure_performance
from loanwatch.monitoring.performance.segments import SEGMENT_LEVEL, Segment, SegmentSearch, search_segments
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.monitoring.verdict import LEAVE_P_VALUE, LEAVE_SIZE
from loanwatch.statistics.delong import delong_estimate, difference_of
from loanwatch.statistics.estimate import Estimate, normal_estimate
from loanwatch.statistics.mean_loss import brier_losses, log_losses, mean_estimate
from loanwatch.statistics.special import ndtr

__all__ = ["check"]

_CHECK = "model_drift"
_SIGNIFICANCE = 0.005
"""One-sided. Together with the size asked for it keeps false alarms well below 1 %."""
_ORDINARY_ROOM = 0.15
"""Between the hold-out's AUC and 1. A model with less room may lose less, in proportion: from 0.97 to 0.96 its errors
grow by a third."""
_SMALLEST_CLASS = 10
"""Fewer rows of a class than this give no AUC worth judging: DeLong's normal limit does not hold there."""

_SEGMENT_SURE = 0.002
"""Corrected p-value up to which a segment may alarm: with the test of the whole, false alarms stay below 1 %."""
_LARGE_SEGMENT = 0.1

_NO_SEGMENTS = "No segment has enough applications of both classes in hold-out and window to be judged by itself."
_ESTIMATED_ONLY = (
    "Too few labels of both classes are known: the performance is estimated from the probabilities, and an estimate "
    "cannot see a changed relation between features and label."
)


def check(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    as_of: datetime | None = None,
    hold_out: HoldOut | None = None,
) -> CheckReport:
    """Compare the deployed model's realised performance with that on its own hold-out.

    A finding needs both: an AUC that fell by more than `policy.material_auc_loss` (in proportion less for a hold-out
    AUC above 0.85), and a one-sided two-sample DeLong test below 0.005 (medium; high beyond twice the material loss).
    An AUC whose upper limit lies below `policy.minimum_auc` is high. Each segment of the applicants is compared with
    the same segment of the hold-out: one that lost more than the material loss beyond all others is a notice, twice
    that medium, four times that high where it holds a tenth of the window, all after correction for every segment
    looked at. Without labels the first rule judges the estimated AUC, and says that it is estimated; with labels,
    estimate and truth are given together. Brier score and log loss are measured beside it.

    Parameters
    ----------
    reference : ScoredWindow
        The deployed model's hold-out, with labels.
    current : ScoredWindow
        The window to judge.
    contract : Contract
        For `label.delay_days` and `policy`.
    as_of : datetime, optional
        The moment of judging, aware; by default now. Labels younger than `label.delay_days` are not judged.
    hold_out : HoldOut, optional
        What is known of the reference; found out where not given.

    Returns
    -------
    CheckReport
        Skipped where neither realised nor estimated performance can be known. `details["segments"]` lists the
        segments that lost most, with labels.
    """
    known, judged = reference.labelled(), judge_labels(current, contract, as_of=as_of)
    if not _enough(known):
        return _skipped("The deployed model's hold-out has too few labelled applications of both classes.", judged)
    if current.rows < 2 * _SMALLEST_CLASS:
        return _skipped(f"The window has {current.rows:,} applications: too few to judge the model.", judged)
    before = hold_out or HoldOut.of(known, contract)
    judged = replace(judged, notes=(*judged.notes, *_uncorrected(known, before, contract)))
    estimated, estimate_findings = _estimated(known, current, contract, before)
    if not _enough(judged.window):
        return _report(judged, {"estimated": estimated}, estimate_findings, realised=False)
    measured, findings = _realised(before, judged.window, contract.policy)
    segments = search_segments(known, judged.window, contract)
    findings += _segment_findings(segments, judged.window.rows, contract)
    lingering = {f"{_CHECK}.segment": _lingering_segments(segments, judged.window.rows, contract.policy)}
    measurements = {**measured, "estimated": estimated}
    return _report(judged, measurements, findings, realised=True, segments=segments, lingering=lingering)


def _enough(window: ScoredWindow) -> bool:
    positive = int(window.positive.sum())
    return min(positive, window.rows - positive) >= _SMALLEST_CLASS


def _realised(
    before: HoldOut, current: ScoredWindow, policy: Policy
) -> tuple[dict[str, tuple[Measurement, ...]], list[Finding]]:
    now = delong_estimate(current.positive, current.probability)
    fall = difference_of(before.auc, now)
    changes = (
        Measurement(
            name="auc_change",
            value=-fall.value,
            lower=-fall.upper,
            upper=-fall.lower,
            p_value=fall.p_value,
            n_reference=before.rows,
            n_current=current.rows,
        ),
        _loss_change("brier_change", before.brier, brier_losses(current.positive, current.probability)),
        _loss_change("log_loss_change", before.log_loss, log_losses(current.positive, current.probability)),
    )
    performance = measure_performance(current.positive, current.probability)
    findings = _findings(before.auc, now, fall.standard_error, policy, estimated=False, rows=current.rows)
    return {"current": performance, "reference": before.performance, "change": changes}, findings


def _estimated(
    reference: ScoredWindow, current: ScoredWindow, contract: Contract, before: HoldOut
) -> tuple[tuple[Measurement, ...], list[Finding]]:
    found = estimate_performance(reference, current, contract, hold_out=before)
    measurements = tuple(
        Measurement(
            name=name,
            value=estimate.value,
            lower=estimate.lower,
            upper=estimate.upper,
            n_reference=before.rows,
            n_current=current.rows,
        )
        for name, estimate in (("estimated_auc", found.auc), ("estimated_accuracy", found.accuracy))
    )
    error = found.auc.standard_error  # the hold-out's own error is in it
    return measurements, _findings(
        found.auc_before, found.auc, error, contract.policy, estimated=True, rows=current.rows
    )


def _uncorrected(reference: ScoredWindow, before: HoldOut, contract: Contract) -> tuple[str, ...]:
    """Say how many features of a wide table the hold-out's relation has no correction for."""
    offered = sum(c.name in reference.frame.columns for c in contract.predictors)
    left_out = offered - before.relation.features
    if left_out <= 0:
        return ()
    told = (
        f"What is expected without labels is corrected along the {before.relation.features} features that the score "
        f"goes with most; {left_out:,} count only as far as the score follows them."
    )
    return (told,)


def _findings(
    before: Estimate, now: Estimate, error: float, policy: Policy, *, estimated: bool, rows: int
) -> list[Finding]:
    severity = _severity(before, now, error, policy)
    if severity is Severity.NONE:
        return []
    fall = before.value - now.value
    name = "estimated AUC" if estimated else "AUC"
    sentence = (
        f"The model's {name} is {now.value:.3f} (95 % interval {now.lower:.3f} to {now.upper:.3f}, {rows:,} "
        f"applications) against {before.value:.3f} on its hold-out: "
    )
    sentence += f"{fall:.3f} lower" if fall > 0 else "not lower"
    if now.value < policy.minimum_auc:
        sentence += f", and below the bar of {policy.minimum_auc:.2f}"
    measurement = Measurement(
        name="estimated_auc" if estimated else "auc", value=now.value, lower=now.lower, upper=now.upper, n_current=rows
    )
    return [
        Finding(
            check=f"{_CHECK}.{'estimated' if estimated else 'realised'}",
            subject="score",
            severity=severity,
            sentence=f"{sentence}.",
            measurements=(measurement,),
            details={"auc_before": before.value, "estimated": estimated},
        )
    ]


def _severity(before: Estimate, now: Estimate, error: float, policy: Policy) -> Severity:
    fall = before.value - now.value
    if _below(now, policy.minimum_auc):
        return Severity.HIGH
    if not (error > 0 and ndtr(-fall / error) < _SIGNIFICANCE):
        return Severity.NONE
    material = _material_loss(before.value, policy)
    if fall > 2 * material:
        return Severity.HIGH
    if fall > material:
        return Severity.MEDIUM
    return Severity.LOW if fall > material / 2 else Severity.NONE


def _material_loss(before: float, policy: Policy) -> float:
    return policy.material_auc_loss * min(1.0, (1.0 - before) / _ORDINARY_ROOM)


def _below(now: Estimate, bar: float) -> bool:
    """Tell whether the AUC lies below the bar beyond doubt: by its interval, and by the test used everywhere here."""
    error = now.standard_error
    return now.upper < bar and error > 0 and bool(ndtr((now.value - bar) / error) < _SIGNIFICANCE)


def _segment_findings(search: SegmentSearch, rows: int, contract: Contract) -> list[Finding]:
    found = [(s, _segment_severity(s, rows, contract.policy)) for s in search.failed]
    return [
        Finding(
            check=f"{_CHECK}.segment",
            subject=segment.subject,
            severity=severity,
            sentence=_segment_sentence(segment, search, contract),
            measurements=(
                Measurement(
                    name="auc",
                    value=segment.now.value,
                    lower=segment.now.lower,
                    upper=segment.now.upper,
                    p_value=segment.p_value,
                    n_reference=segment.rows_reference,
                    n_current=segment.rows,
                ),
            ),
            details={"segment": segment.to_dict(), "searched": search.searched, "also": list(segment.also)},
        )
        for segment, severity in found
        if severity is not Severity.NONE
    ]


def _segment_severity(segment: Segment, rows: int, policy: Policy, *, leaving: bool = False) -> Severity:
    """Return how much a segment that fails matters; `leaving`: by the lower thresholds at which that is left."""
    material = _material_loss(segment.before.value, policy) * (LEAVE_SIZE if leaving else 1.0)
    if segment.loss <= material:
        return Severity.NONE
    if segment.loss <= 2 * material or segment.p_value > _SEGMENT_SURE * (LEAVE_P_VALUE if leaving else 1.0):
        return Severity.LOW
    large = segment.rows >= _LARGE_SEGMENT * rows and segment.loss > 4 * material
    return Severity.HIGH if large else Severity.MEDIUM


def _lingering_segments(search: SegmentSearch, rows: int, policy: Policy) -> dict[str, str]:
    """Return the features of which a segment is close enough to failing not to speak against an earlier verdict."""
    severities: dict[str, Severity] = {}
    for segment in search.worst:
        if segment.p_value <= SEGMENT_LEVEL * LEAVE_P_VALUE:
            severity = _segment_severity(segment, rows, policy, leaving=True)
            severities[segment.subject] = max(severities.get(segment.subject, Severity.NONE), severity)
    return {subject: severity.word for subject, severity in severities.items() if severity > Severity.NONE}


def _segment_sentence(segment: Segment, search: SegmentSearch, contract: Contract) -> str:
    named = " and ".join(contract.label_of(name) for name in segment.without)
    others = f" (without the failing segments of {named})" if named else ""
    return (
        f"The model tells {applicants_in(segment.cells, contract, segment.bin)}{others} apart less well than it did: "
        f"AUC {segment.now.value:.3f} (95 % interval {segment.now.lower:.3f} to {segment.now.upper:.3f}, "
        f"{segment.rows:,} applications) against {segment.before.value:.3f} for such applicants of its hold-out; "
        f"{search.searched:,} segments were looked at."
    )


def _loss_change(name: str, before: Estimate, losses: NDArray[np.float64]) -> Measurement:
    now = mean_estimate(losses)
    difference = normal_estimate(now.value - before.value, math.hypot(before.standard_error, now.standard_error))
    return Measurement(name=name, value=difference.value, lower=difference.lower, upper=difference.upper)


def _report(
    judged: JudgedLabels,
    measurements: Mapping[str, tuple[Measurement, ...]],
    findings: list[Finding],
    *,
    realised: bool,
    segments: SegmentSearch | None = None,
    lingering: Mapping[str, Mapping[str, str]] | None = None,
) -> CheckReport:
    limitations = judged.limitations
    findings = sorted(findings, key=lambda f: -f.severity)
    if not realised:
        limitations += (_ESTIMATED_ONLY,)
    if segments is not None and not segments.searched:
        limitations += (_NO_SEGMENTS,)
    fails = any(f.severity >= Severity.MEDIUM for f in findings)
    return CheckReport(
        check=_CHECK,
        status=Status.FAIL if fails else Status.PASS,
        summary=findings[0].sentence if findings else _quiet_summary(measurements, realised=realised),
        findings=tuple(findings),
        measurements=measurements,
        limitations=limitations,
        details={
            "realised": realised,
            "judged_rows": judged.window.rows,
            "segments": [s.to_dict() for s in segments.worst] if segments else [],
            "segments_searched": segments.searched if segments else 0,
            "lingering": dict(lingering or {}),
        },
    )


def _quiet_summary(measurements: Mapping[str, tuple[Measurement, ...]], *, realised: bool) -> str:
    subject, name = ("current", "auc") if realised else ("estimated", "estimated_auc")
    found = next(m for m in measurements[subject] if m.name == name)
    word = "AUC" if realised else "AUC, estimated before labels arrive,"
    interval = f"95 % interval {found.lower:.3f} to {found.upper:.3f}"
    return f"The model is as good as on its hold-out: {word} {found.value:.3f} ({interval})."


def _skipped(reason: str, judged: JudgedLabels) -> CheckReport:
    return CheckReport(
        check=_CHECK,
        status=Status.SKIPPED,
        summary=f"The model's performance was not judged. {reason}",
        limitations=(reason, *judged.limitations),
    )
