"""The cause of a change, in the words of a risk officer."""

from collections.abc import Sequence

from loanwatch.contract import Contract
from loanwatch.monitoring.cause.split import LossSplit
from loanwatch.monitoring.concept_drift.cells import SCORE
from loanwatch.monitoring.concept_drift.relation import LEVEL
from loanwatch.monitoring.result import CheckReport, Measurement, Status

__all__ = ["SCORE_MOVED", "cause_sentence", "misfits"]

SCORE_MOVED = (
    "The scores are others, or fit the labels less well, though no feature moved and nothing else explains it: look "
    "first whether they belong to these rows, and to the same model on the same scale."
)

_NAMED = 3
_MATERIAL_LOSS = 0.005
"""Of the Brier score: a model that is off by seven points everywhere loses so much."""


def cause_sentence(
    verdict: str,
    contract: Contract,
    *,
    features: Sequence[str],
    relation: Sequence[str],
    split: LossSplit,
    related: CheckReport,
    alike: bool = False,
) -> str:
    """Return what happened, what it cost and what to do; `alike` where labels are known, all of one class."""
    seen = related.status is not Status.SKIPPED
    moved = f"features moved ({_listed(features, contract)})"
    if verdict == "none":
        return (
            "Nothing that matters changed between the hold-out and this window." if seen else _unseen("", alike=alike)
        )
    if verdict == "features":
        if not seen:
            return _unseen(f"{moved}; ", alike=alike)
        if misfits(split):
            cost = _cost("the Brier score", split.relation)
            return (
                f"{_capital(moved)} to where the hold-out has few applicants or none, and there the scores do not fit "
                f"the labels: check first whether the values are right; if they are, retrain on recent data; {cost}."
            )
        cost = _cost("the Brier score", split.features)
        fit = "model still calibrated" if _fits(split) else "the scores fit the labels a little differently"
        return f"{_capital(moved)}, {fit}: no retraining needed; {cost}."
    since = related.details.get("since_text")
    when = f", since {since}" if since else ""
    advice = "retrain on data after it" if since else "retrain on recent data"
    changed = f"relation changed, mostly through {_listed(relation[:1], contract)}{when}"
    cost = _cost("the Brier score", split.relation)
    if verdict == "both":
        return f"{_capital(moved)} and {changed}: {advice}; {cost}."
    return f"{_capital(changed)}: {advice}; {cost}."


def misfits(split: LossSplit) -> bool:
    """Tell whether the labels cost the scores something else than the hold-out's relation expects, and materially.

    More where the relation is another one; less where the scores are far too high or low for what moved.
    """
    part = split.relation
    return part is not None and ((part.lower or 0.0) > _MATERIAL_LOSS or (part.upper or 0.0) < -_MATERIAL_LOSS)


def _fits(split: LossSplit) -> bool:
    part = split.relation
    return part is None or (part.lower or 0.0) <= 0.0 <= (part.upper or 0.0)


def _unseen(start: str, *, alike: bool) -> str:
    why = ": all its known labels are of one class" if alike else " before labels arrive"
    return _capital(f"{start}whether the relation to the label changed cannot be seen{why}.")


def _cost(what: str, part: Measurement | None) -> str:
    if part is None:
        return f"what that does to {what} is not known"
    value, lower, upper = (f"{x or 0.0:+.4f}".replace("-", "−") for x in (part.value, part.lower, part.upper))
    return f"that moved {what} by {value} (95 % interval {lower} to {upper})"


def _listed(names: Sequence[str], contract: Contract) -> str:
    special = {LEVEL: "the level of the label", SCORE: "the score"}
    titles = [special[n] if n in special else contract.label_of(n) for n in names[:_NAMED]]
    more = len(names) - len(titles)
    return ", ".join(titles) + (f" and {more} more" if more else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
