"""Features, relation, both, or the data themselves: the cause of a change, and whether to retrain."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from loanwatch.contract import Contract
from loanwatch.monitoring import concept_drift as concept_drift_check
from loanwatch.monitoring import data_drift as data_drift_check
from loanwatch.monitoring.cause.sentences import SCORE_MOVED, cause_sentence
from loanwatch.monitoring.cause.shares import behind_features, behind_relation
from loanwatch.monitoring.cause.split import LossSplit, split_loss
from loanwatch.monitoring.concept_drift.cells import cut_features
from loanwatch.monitoring.concept_drift.check import FEWEST_ROWS
from loanwatch.monitoring.label_maturity import judge_labels
from loanwatch.monitoring.performance.holdout_relation import HoldOutRelation
from loanwatch.monitoring.policy import halt_reasons
from loanwatch.monitoring.profile import profile_window
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.scored_window import ScoredWindow

__all__ = ["Cause", "Verdict", "explain_change"]


class Verdict(StrEnum):
    """What is behind the difference between hold-out and window."""

    NONE = "none"
    FEATURES = "features"
    RELATION = "relation"
    BOTH = "both"
    QUALITY = "quality"
    SCORE = "score"
    """Neither features nor relation: the scores are not what they were for the same applicants."""


@dataclass(frozen=True, kw_only=True)
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
    found = _cause(known.beside(window), window, contract, moved=moved, related=related, split=split)
    if _score_alone_moved(found, moved, performance, features={c.name for c in contract.predictors}):
        return replace(found, verdict=Verdict.SCORE, sentence=SCORE_MOVED, retrain=False, relation={})
    return found


def _score_alone_moved(
    found: Cause, moved: CheckReport, performance: CheckReport | None, *, features: set[str]
) -> bool:
    """Whether the scores are behind it: they moved and no feature did, or they are worse and nothing else changed.

    The same model gives the same features the same scores: a relation that seems to have changed with them has not.
    """
    if found.verdict not in (Verdict.NONE, Verdict.RELATION):
        return False
    if any(name in features for f in moved.findings for name in _names(f)):
        return False  # several that moved a little may move the scores far
    scores = ("score", "the score")  # as data drift calls them, beside a feature called score
    if any(f.subject in scores and f.severity >= Severity.MEDIUM for f in moved.findings):
        return True
    return found.verdict is Verdict.NONE and performance is not None and performance.severity >= Severity.MEDIUM


def _cause(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    moved: CheckReport,
    related: CheckReport,
    split: LossSplit,
) -> Cause:
    predictors = {c.name for c in contract.predictors}
    features = _subjects(moved, split.features, among=predictors)
    relation = _subjects(related, None)
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
        retrain=bool(relation),
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
    """Return what the check found, worst first; nothing where it is slight and cost nothing beyond chance."""
    found = [(f.severity, name) for f in report.findings for name in _names(f) if among is None or name in among]
    worst = max((severity for severity, _ in found), default=Severity.NONE)
    if worst >= Severity.MEDIUM or (worst is Severity.LOW and _beyond_chance(part)):
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
