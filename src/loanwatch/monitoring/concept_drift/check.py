"""Concept drift: whether P(label | features) is another one than in the deployed model's hold-out."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring.concept_drift.calibration import measure_calibration
from loanwatch.monitoring.concept_drift.cells import MOST_FEATURES, cut_features, most_telling
from loanwatch.monitoring.concept_drift.dating import DatedChange, date_change
from loanwatch.monitoring.concept_drift.relation import LEVEL, Change, find_changes, outcome_scale
from loanwatch.monitoring.concept_drift.sentences import describe_change, plain_date
from loanwatch.monitoring.concept_drift.sequential import StreamAlarm, watch_stream
from loanwatch.monitoring.label_maturity import JudgedLabels, judge_labels
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.scored_window import ScoredWindow

__all__ = ["check"]

_CHECK = "concept_drift"
_NOTICE = 0.025
"""Corrected for all subjects: the share of windows without drift in which anything at all is found."""
_SURE = 0.005
"""For an alarm: all checks together may raise one in a hundred windows without drift."""
_NOTICE_SIZE, _MEDIUM_SIZE, _HIGH_SIZE = 0.01, 0.02, 0.06
"""Change of P(label | features), as a root mean square over the window's applications, times `outcome_scale`."""
FEWEST_ROWS = 50
_MOST_ROWS = 100_000
"""Of each window, evenly taken: they show any change that matters, and memory stays bounded."""
_SMALLEST_CLASS = 8


def check(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    seed: int = 0,  # noqa: ARG001  (part of every check's signature; nothing here is drawn)
    as_of: datetime | None = None,
) -> CheckReport:
    """Compare the residuals label − probability of the window with those of the hold-out, in the same cells.

    One weighted regression over both windows takes up what the model gets wrong in both of them, by score band and by
    bin of every feature, so that other applicants alone do not count as drift. On top of it the level, the score
    bands and each feature are tested for a change in the current window. A finding is real (p-value corrected for all
    subjects tested) and matters (mean change of P(label | features): 1 point low, 2 medium, 6 high); medium also asks
    for a corrected p-value below 0.005.

    Parameters
    ----------
    reference : ScoredWindow
        The deployed model's hold-out, with labels.
    current : ScoredWindow
        The window to judge.
    contract : Contract
        Names the predictors, their kinds, and the label with its delay.
    seed : int
        Changes nothing: the check draws no random numbers.
    as_of : datetime, optional
        The moment of judging, aware; by default now. Labels younger than `label.delay_days` are not judged.

    Returns
    -------
    CheckReport
        `details["since"]`: ISO date of the change, or None; `details["stream"]`: when somebody reading label after
        label would have known (`StreamAlarm`), or None. Skipped without enough labels.
    """
    known, judged = reference.labelled().thinned(_MOST_ROWS), judge_labels(current, contract, as_of=as_of)
    judged = judged.thinned(_MOST_ROWS)
    known = known.beside(judged.window)
    if reason := _too_few(known, "The deployed model's hold-out") or _too_few(judged.window, "The window"):
        return _skipped(reason, judged)
    offered = cut_features(known, judged.window, contract)
    cells = most_telling(offered, known.probability)
    notes = _left_out(len(offered) - len(cells))
    calibration = measure_calibration(known, judged.window)
    if not cells:
        return _skipped("Neither score nor features vary: there is nothing to compare the labels along.", judged)
    named, tested = find_changes(known, judged.window, cells, significance=_NOTICE)
    scale = outcome_scale(known.probability)
    named = tuple(c for c in named if _severity(c, scale) > Severity.NONE)
    dated = date_change(known, judged.window, [c.cells for c in named if c.cells]) if named and _dated(judged) else None
    findings = [_finding(c, known, judged.window, contract, dated) for c in named]
    alarm = watch_stream(known, judged.window) if _dated(judged) else None
    return _report(
        findings,
        replace(judged, notes=notes if findings or alarm is None else (*notes, _unexplained(alarm))),
        {"score_calibration": calibration} | _measured(tested, known, judged.window),
        _dates(dated, findings) | {"stream": alarm.to_dict() if alarm else None},
    )


def _left_out(features: int) -> tuple[str, ...]:
    if not features:
        return ()
    tested = f"the {MOST_FEATURES} features that the score goes with most"
    return (f"The relation is tested along {tested}, not along {features:,} others.",)


def _unexplained(alarm: StreamAlarm) -> str:
    """Say what the stream alone shows: other applicants can ring it, so it is no finding by itself."""
    return (
        f"Read one by one, the labels leave the hold-out's rates at the same score by {plain_date(_day(alarm.time))} "
        "(less than once in a hundred windows by chance), but no further than other applicants explain: no change of "
        "the relation is shown."
    )


def _dated(judged: JudgedLabels) -> bool:
    """Whether the rows differ in time; rows of a single moment cannot date anything."""
    times = judged.window.time
    return bool(times.min() < times.max())


def _too_few(window: ScoredWindow, name: str) -> str | None:
    positive = int(window.positive.sum())
    if window.rows >= FEWEST_ROWS and min(positive, window.rows - positive) >= _SMALLEST_CLASS:
        return None
    return (
        f"{name} has {window.rows:,} applications with a label that is due, {positive:,} of them positive: "
        f"at least {FEWEST_ROWS}, and {_SMALLEST_CLASS} of each kind, are needed."
    )


def _skipped(reason: str, judged: JudgedLabels) -> CheckReport:
    return CheckReport(
        check=_CHECK,
        status=Status.SKIPPED,
        summary="Whether the relation between features and label changed cannot be seen without labels.",
        limitations=(f"Concept drift cannot be seen without labels. {reason}", *judged.limitations),
        details={"since": None},
    )


def _severity(change: Change, scale: float) -> Severity:
    size = change.size / max(scale, 1e-9)
    if size < _NOTICE_SIZE:
        return Severity.NONE
    if change.p_value > _SURE or size < _MEDIUM_SIZE:
        return Severity.LOW
    return Severity.HIGH if size >= _HIGH_SIZE else Severity.MEDIUM


def _finding(
    change: Change, reference: ScoredWindow, current: ScoredWindow, contract: Contract, dated: DatedChange | None
) -> Finding:
    since = _day(dated.since) if dated else None
    at_start = dated is not None and dated.at_start
    shown, after = change, current
    if dated is not None and not at_start:
        rows = current.time >= dated.since
        shown, after = change.where(rows), current.where(rows)
    sentence = describe_change(shown, reference, after, contract, since=since, at_start=at_start)
    return Finding(
        check=f"{_CHECK}.{'level' if change.subject == LEVEL else 'relation'}",
        subject=change.subject,
        severity=_severity(change, outcome_scale(reference.probability)),
        sentence=sentence[0].upper() + sentence[1:],
        measurements=(_measurement(change, current),),
        details=_by_bin(change, current) | {"since": since.isoformat() if since else None},
    )


def _measurement(change: Change, current: ScoredWindow, reference: ScoredWindow | None = None) -> Measurement:
    return Measurement(
        name="residual_change",
        value=change.size,
        p_value=change.p_value,
        n_reference=reference.rows if reference else None,
        n_current=current.rows,
    )


def _measured(
    tested: tuple[Change, ...], reference: ScoredWindow, current: ScoredWindow
) -> dict[str, tuple[Measurement, ...]]:
    return {c.subject: (_measurement(c, current, reference),) for c in tested}


def _by_bin(change: Change, current: ScoredWindow) -> dict[str, Any]:
    if change.cells is None:
        return {"change": float(change.effect[0])}
    bins = []
    for i, name in enumerate(change.cells.names[: change.cells.testable]):
        rows = change.cells.current == i
        bins.append(
            {
                "bin": name,
                "rows": int(rows.sum()),
                "observed": float(current.label[rows].mean()),
                "expected": float(current.probability[rows].mean()),
                "change": float(change.effect[i]),
            }
        )
    return {"bins": bins}


def _report(
    findings: list[Finding],
    judged: JudgedLabels,
    measurements: dict[str, tuple[Measurement, ...]],
    details: dict[str, Any],
) -> CheckReport:
    findings = sorted(findings, key=lambda f: -f.severity)
    fails = any(f.severity >= Severity.MEDIUM for f in findings)
    return CheckReport(
        check=_CHECK,
        status=Status.FAIL if fails else Status.PASS,
        summary=_summary(findings, judged),
        findings=tuple(findings),
        measurements=measurements,
        limitations=judged.limitations,
        details=details | {"judged_rows": judged.window.rows},
    )


def _summary(findings: list[Finding], judged: JudgedLabels) -> str:
    if findings:
        return findings[0].sentence
    return (
        "The relation between features and label is that of the model's hold-out, as far as "
        f"{judged.window.rows:,} labelled applications can show."
    )


def _dates(dated: DatedChange | None, findings: list[Finding]) -> dict[str, Any]:
    if dated is None:
        return {"since": None}
    return {
        "since": _day(dated.since).isoformat(),
        "since_text": plain_date(_day(dated.since)),
        "since_time": str(np.datetime_as_string(dated.since, unit="s")),
        "earliest": _day(dated.earliest).isoformat(),
        "latest": _day(dated.latest).isoformat(),
        "applications_before": dated.position,
        "at_start": dated.at_start,
        "subjects": [f.subject for f in findings],
    }


def _day(moment: np.datetime64) -> date:
    return date.fromisoformat(str(np.datetime_as_string(moment, unit="D")))
