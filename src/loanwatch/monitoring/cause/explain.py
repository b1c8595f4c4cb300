"""Features, relation, both, or the data themselves: the cause of a change, and whether to retrain."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Self

from loanwatch.contract import Contract
from loanwatch.monitoring import concept_drift as concept_drift_check
from loanwatch.monitoring import data_drift as data_drift_check
from loanwatch.monitoring.cause.score_map import scores_left_features
from loanwatch.monitoring.cause.sentences import SCORE_MOVED, cause_sentence, misfits
from loanwatch.monitoring.cause.shares import behind_features, behind_relation
from loanwatch.monitoring.cause.split import LossSplit, split_loss
from loanwatch.monitoring.concept_drift.cells import SCORE, cut_features
from loanwatch.monitoring.concept_drift.check import FEWEST_ROWS
from loanwatch.monitoring.concept_drift.relation import LEVEL
from loanwatch.monitoring.label_maturity import judge_labels
from loanwatch.monitoring.performance.holdout_relation import HoldOutRelation
from loanwatch.monitoring.policy import halt_reasons, only_of_reference
from loanwatch.monitoring.profile import profile_window
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record

__all__ = ["Cause", "Verdict", "explain_change"]

_FAULTS = {
    f"data_quality.{fault}"
    for fault in (
        "missing",
        "sentinel",
        "unreadable",
        "out_of_range",
        "foreign_value",
        "other_spelling",
        "spike",
        "swapped",
        "unit_change",
        "unseen_category",
    )
}
"""What the source does to values, whoever applies."""


class Verdict(StrEnum):
    """What is behind the difference between hold-out and window."""

    NONE = "none"
    FEATURES = "features"
    RELATION = "relation"
    BOTH = "both"
    QUALITY = "quality"
    SCORE = "score"
    """Neither features nor relation: the scores are not what they were for the same applicants."""


@record
class Cause:
    """The verdict, with what it rests on."""

    verdict: Verdict
    sentence: str
    """What happened and what to do, for a risk officer."""
    retrain: bool
    """Whether a model trained on newer data would follow the window better."""
    measurements: tuple[Measurement, ...] = ()
    """`loss_from_features`; with labels also `loss_from_relation` and their sum, `loss_change` (of the Brier score)."""
    features: Mapping[str, Measurement] = field(default_factory=dict)
    """Feature that moved → change of loss if it alone had moved."""
    relation: Mapping[str, Measurement] = field(default_factory=dict)
    """Feature whose relation to the label changed → the change of loss that came with it."""
    since: str | None = None
    """ISO date from which the relation is another one, where it can be dated."""
    limitations: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "retrain": self.retrain,
            "measurements": [m.to_dict() for m in self.measurements],
            "features": {name: m.to_dict() for name, m in self.features.items()},
            "relation": {name: m.to_dict() for name, m in self.relation.items()},
            "since": self.since,
            "limitations": list(self.limitations),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            verdict=Verdict(values["verdict"]),
            sentence=values["sentence"],
            retrain=values["retrain"],
            measurements=tuple(Measurement.from_dict(m) for m in values["measurements"]),
            features={name: Measurement.from_dict(m) for name, m in values["features"].items()},
            relation={name: Measurement.from_dict(m) for name, m in values["relation"].items()},
            since=values["since"],
            limitations=tuple(values["limitations"]),
        )


def explain_change(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    data_quality: CheckReport | None = None,
    data_drift: CheckReport | None = None,
    concept_drift: CheckReport | None = None,
    performance: CheckReport | None = None,
    as_of: datetime | None = None,
    relation: HoldOutRelation | None = None,
) -> Cause:
    """Name the cause of a change between hold-out and window, and say whether retraining will help.

    Data that cannot be trusted are the cause before anything else. Otherwise the verdict is that of the checks of data
    drift (medium, or low where that part of the loss is beyond chance) and of concept drift (medium, which is what the
    policy retrains on); the split of the loss says how much each has cost.

    Parameters
    ----------
    reference : ScoredWindow
        The deployed model's hold-out, with labels.
    current : ScoredWindow
        The window.
    contract : Contract
    data_quality : CheckReport, optional
        Without it the data are taken to be sound.
    data_drift, concept_drift : CheckReport, optional
        Of the same windows; computed where not given.
    performance : CheckReport, optional
        Of the same windows: a model that does worse on the same applicants with the same relation has another score.
    as_of : datetime, optional
        The moment of judging, aware; by default now. Labels younger than `label.delay_days` are not judged.
    relation : HoldOutRelation, optional
        Of the hold-out; fitted where not given.

    Returns
    -------
    Cause
        Without labels that are due only `features`, `quality` or `none` can be told, and `limitations` says so.
    """
    if data_quality is not None and (reasons := halt_reasons(data_quality)):
        if only_of_reference(data_quality):
            sentence = f"{reasons[0]} Compare again without these rows; do not train on them."
        else:
            sentence = f"The data of this window cannot be trusted: {reasons[0]} Repair the feed; do not retrain on it."
        return Cause(verdict=Verdict.QUALITY, sentence=sentence, retrain=False)
    known, judged = reference.labelled(), judge_labels(current, contract, as_of=as_of)
    if not known.rows or not current.rows:
        side = "hold-out has no labels" if not known.rows else "window is empty"
        return Cause(verdict=Verdict.NONE, sentence=f"Nothing can be compared: the {side}.", retrain=False)
    moved = data_drift or _data_drift(reference, current, contract)
    related = concept_drift or concept_drift_check.check(reference, current, contract, as_of=as_of)
    seen = related.status is not Status.SKIPPED
    window = judged.window if seen else current
    split = split_loss(known, window, contract, with_labels=seen, relation=relation)
    compared = known.beside(window)
    explain = partial(_cause, compared, window, contract, moved=moved, related=related, split=split)
    found, worse = explain(), _worse(performance) if seen else []
    if fault := _fault_behind(found, moved, related, data_quality):
        sentence = f"What moved are the data, not the applicants: {fault} Repair the feed; do not retrain on it."
        return replace(found, verdict=Verdict.QUALITY, sentence=sentence, retrain=False, relation={})
    features = {c.name for c in contract.predictors}
    # Many slight moves of the features may move the scores far.
    is_alike = not any(name in features for f in moved.findings for name in _names(f))
    is_unexplained = found.verdict is Verdict.NONE and bool(worse or _score_moved(moved))
    if is_alike and (is_unexplained or found.verdict is Verdict.RELATION):
        left = scores_left_features(compared, window, contract)
        if left or _score_moved(moved) or (left is None and is_unexplained):
            return replace(found, verdict=Verdict.SCORE, sentence=SCORE_MOVED, retrain=False, relation={})
        if is_unexplained:  # the same scores for the same features, and other labels
            return explain(worse=worse)
    return found


def _fault_behind(
    found: Cause, moved: CheckReport, related: CheckReport, data_quality: CheckReport | None
) -> str | None:
    """Return the fault of the data where faults explain every feature that moved, and every changed relation."""
    if data_quality is None or found.verdict not in (Verdict.FEATURES, Verdict.BOTH):
        return None
    faults = [f for f in data_quality.findings if f.severity >= Severity.MEDIUM and f.check in _FAULTS]
    told = {name for f in faults for name in (f.subject, *_names(f))}
    serious = [f for report in (moved, related) for f in report.findings if f.severity >= Severity.MEDIUM]
    named = {name for f in serious for name in _names(f)} - {SCORE, LEVEL, "the score", "the label"}
    return faults[0].sentence if named and named <= told else None


def _score_moved(moved: CheckReport) -> bool:
    """Whether the scores moved as a whole: no feature having done so, they are not what they were."""
    scores = ("score", "the score")  # as data drift calls them, beside a feature called score
    return any(f.subject in scores and f.severity >= Severity.MEDIUM for f in moved.findings)


def _worse(performance: CheckReport | None) -> list[str]:
    """Return along what the model does worse on the labels it has, the segments first."""
    found = performance.findings if performance is not None else ()
    named = [f for f in found if f.severity >= Severity.MEDIUM and not f.check.endswith(".estimated")]
    return [f.subject for f in sorted(named, key=lambda f: not f.check.endswith(".segment"))]


def _cause(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    moved: CheckReport,
    related: CheckReport,
    split: LossSplit,
    worse: Sequence[str] = (),
) -> Cause:
    """Word the verdict; `worse`: along what the labels left the scores, where the check of the relation saw nothing."""
    predictors = {c.name for c in contract.predictors}
    features = _subjects(moved, split.features, among=predictors)
    relation = list(worse) or _subjects(related, None)
    verdict = {
        (False, False): Verdict.NONE,
        (True, False): Verdict.FEATURES,
        (False, True): Verdict.RELATION,
        (True, True): Verdict.BOTH,
    }[bool(features), bool(relation)]
    named = {*features, *relation}
    cells = cut_features(_only(reference, named), _only(current, named), contract) if named else ()
    since = related.details.get("since") if relation else None
    return Cause(
        verdict=verdict,
        sentence=cause_sentence(
            verdict.value,
            contract,
            features=features,
            relation=relation,
            split=split,
            related=related,
            alike=_are_alike(current),
        ),
        retrain=bool(relation) or (bool(features) and misfits(split)),
        measurements=tuple(m for m in (split.features, split.relation, split.total) if m is not None),
        features=behind_features(reference, current, cells, features),
        relation=behind_relation(reference, current, cells, relation) if split.relation else {},
        since=since,
        limitations=related.limitations,
    )


def _are_alike(window: ScoredWindow) -> bool:
    """Whether as many labels are known as the check of the relation needs, and they are all of one class."""
    labels = window.label[window.has_label]
    return labels.size >= FEWEST_ROWS and bool((labels == labels[0]).all())


def _only(window: ScoredWindow, names: set[str]) -> ScoredWindow:
    """Return the window without the features that nothing is to be said of."""
    kept = [name for name in window.frame.columns if name in names]
    return replace(window, frame=window.frame.select(kept)) if kept else window


def _subjects(report: CheckReport, part: Measurement | None, *, among: set[str] | None = None) -> list[str]:
    """Return what the check found, worst first; nothing where it is slight, not sure and cost nothing beyond chance."""
    found = [(f, name) for f in report.findings for name in _names(f) if among is None or name in among]
    worst = max((f.severity for f, _ in found), default=Severity.NONE)
    sure = _beyond_chance(part) or any(f.details.get("sure") for f, _ in found)
    if worst >= Severity.MEDIUM or (worst is Severity.LOW and sure):
        return list(dict.fromkeys(name for _, name in found))
    return []


def _names(finding: Finding) -> list[str]:
    """Return the subject, or the columns of what only the rows as a whole show."""
    columns = finding.details.get("columns", ())
    return list(columns) if columns and finding.subject not in columns else [finding.subject]


def _beyond_chance(part: Measurement | None) -> bool:
    return part is not None and part.lower is not None and part.upper is not None and not part.lower <= 0 <= part.upper


def _data_drift(reference: ScoredWindow, current: ScoredWindow, contract: Contract) -> CheckReport:
    first = profile_window(reference.frame, contract)
    second = profile_window(current.frame, contract, edges=first.edges)
    return data_drift_check.check(first, second, contract)
