"""What to do about what the checks found.

Two rules: `evidence` retrains on a worse model, a changed relation or old age, and lets data drift alone pass with a
notice; `any_drift` is the classic rule: quality fails, halt; no data drift, stop; model drift, train.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

from loanwatch.contract import Policy
from loanwatch.monitoring.result import CheckReport, Finding, Severity, Status
from loanwatch.records import record

__all__ = ["Action", "Decision", "decide", "halt_reasons", "only_of_reference"]

_REASONS_PER_CHECK = 3


class Action(StrEnum):
    """What a run does next."""

    HALT = "halt"
    """The data cannot be trusted: train nothing, tell somebody."""
    TRAIN_FIRST = "train_first"
    """No model is deployed yet."""
    RETRAIN = "retrain"
    NOTICE = "notice"
    """Something moved, and nothing needs to be done."""
    NONE = "none"


@record
class Decision:
    """What to do, and why in sentences for a risk officer."""

    action: Action
    reasons: tuple[str, ...]
    train_since: datetime | None = None
    """Aware, UTC: applications before it follow an older relation and must not train; None where all may."""


def decide(
    *,
    data_quality: CheckReport,
    data_drift: CheckReport | None,
    concept_drift: CheckReport | None,
    model_drift: CheckReport | None,
    model_age_days: float | None,
    policy: Policy,
) -> Decision:
    """Turn the checks of a window into one action.

    Data quality of severity high or above halts, whatever else was found: a model must not learn from a broken feed.

    Parameters
    ----------
    data_quality : CheckReport
    data_drift, concept_drift, model_drift : CheckReport or None
        None where the check did not run, because no model is deployed.
    model_age_days : float or None
        Days since the deployed model was deployed; None when none is.
    policy : Policy
        The thresholds and the rule of the contract.

    Returns
    -------
    Decision
        `train_since` is set where the relation changed and the change could be dated.

    Examples
    --------
    >>> good = CheckReport(check="data_quality", status=Status.PASS, summary="The window is sound.")
    >>> decision = decide(
    ...     data_quality=good, data_drift=None, concept_drift=None, model_drift=None, model_age_days=None,
    ...     policy=Policy(),
    ... )
    >>> decision.action.value, decision.reasons
    ('train_first', ('No model is deployed yet.',))
    """
    if reasons := halt_reasons(data_quality):
        return Decision(action=Action.HALT, reasons=reasons)
    if model_age_days is None:
        return Decision(action=Action.TRAIN_FIRST, reasons=("No model is deployed yet.",))
    if policy.retrain_on == "any_drift":
        return _decide_on_any_drift(data_drift, model_drift)
    return _decide_on_evidence(data_drift, concept_drift, model_drift, model_age_days, policy)


def halt_reasons(data_quality: CheckReport) -> tuple[str, ...]:
    """Return why the window cannot be trusted; empty where the data are sound enough to go on."""
    return _sentences(data_quality, at_least=Severity.HIGH)


def only_of_reference(data_quality: CheckReport) -> bool:
    """Whether all that `halt_reasons` tells is wrong with the reference, and the window is sound."""
    return all(f.details.get("table") == "reference" for f in data_quality.findings if f.severity >= Severity.HIGH)


def _decide_on_evidence(
    data_drift: CheckReport | None,
    concept_drift: CheckReport | None,
    model_drift: CheckReport | None,
    model_age_days: float,
    policy: Policy,
) -> Decision:
    relation = _sentences(concept_drift, at_least=Severity.MEDIUM)
    reasons = [*relation, *_sentences(model_drift, at_least=Severity.MEDIUM)]
    if model_age_days > policy.maximum_model_age_days:
        limit = policy.maximum_model_age_days
        reasons.append(f"The deployed model is {model_age_days:,.0f} days old; at most {limit:,} are allowed.")
    if reasons:
        since = _dated_change(concept_drift) if relation else None
        return Decision(action=Action.RETRAIN, reasons=tuple(reasons), train_since=since)
    if moved := _sentences(data_drift, at_least=Severity.LOW):
        return Decision(action=Action.NOTICE, reasons=(*moved, _why_no_retraining(concept_drift, model_drift)))
    if slight := _slight_changes(concept_drift, model_drift):
        return Decision(action=Action.NOTICE, reasons=slight)
    return Decision(action=Action.NONE, reasons=tuple(_what_was_not_found(data_drift, concept_drift, model_drift)))


def _decide_on_any_drift(data_drift: CheckReport | None, model_drift: CheckReport | None) -> Decision:
    moved = _sentences(data_drift, at_least=Severity.LOW)
    if not moved:
        return Decision(
            action=Action.NONE, reasons=("The features have not drifted, and the rule in force asks for that first.",)
        )
    worse = _sentences(model_drift, at_least=Severity.MEDIUM)
    if not worse:
        return Decision(action=Action.NOTICE, reasons=(*moved, "The model has not become worse."))
    return Decision(action=Action.RETRAIN, reasons=(*moved, *worse))


def _sentences(report: CheckReport | None, *, at_least: Severity) -> tuple[str, ...]:
    """Return the sentences of the findings that reach the severity, the worst first, and how many were left out."""
    if report is None:
        return ()
    found = sorted(_findings(report, at_least), key=lambda f: -f.severity)
    sentences = [f.sentence for f in found[:_REASONS_PER_CHECK]]
    if more := len(found) - len(sentences):
        sentences.append(f"{more} more {'finding' if more == 1 else 'findings'} of this kind.")
    return tuple(sentences)


def _findings(report: CheckReport, at_least: Severity) -> Iterator[Finding]:
    return (f for f in report.findings if f.severity >= at_least)


def _slight_changes(*reports: CheckReport | None) -> tuple[str, ...]:
    return tuple(s for report in reports for s in _sentences(report, at_least=Severity.LOW))


def _dated_change(report: CheckReport | None) -> datetime | None:
    since = report.details.get("since") if report is not None else None
    if since is None:
        return None
    moment = datetime.fromisoformat(since)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _why_no_retraining(concept_drift: CheckReport | None, model_drift: CheckReport | None) -> str:
    if _judged(concept_drift) and _judged(model_drift):
        return "The features moved, but the model is still as good as it was: no retraining is needed."
    return "The features moved; whether the model still fits cannot be judged before labels arrive."


def _what_was_not_found(
    data_drift: CheckReport | None, concept_drift: CheckReport | None, model_drift: CheckReport | None
) -> Iterator[str]:
    for report, sound in (
        (data_drift, "The features have not drifted."),
        (concept_drift, "The relation between features and label has not changed."),
        (model_drift, "The model is as good as it was."),
    ):
        if _judged(report):
            yield sound
        elif report is not None:
            yield report.summary


def _judged(report: CheckReport | None) -> bool:
    return report is not None and report.status is not Status.SKIPPED
