"""What is worth telling somebody, and what a reader should make of it."""

from enum import StrEnum

from loanwatch.records import record

__all__ = ["NOTICES", "Event", "Guidance", "guidance_of"]


class Event(StrEnum):
    """What in the life of a model is worth telling somebody."""

    HALTED = "halted"
    DATA_DRIFT = "data_drift"
    CONCEPT_DRIFT = "concept_drift"
    MODEL_DRIFT = "model_drift"
    RETRAINED = "retrained"
    PROMOTED = "promoted"
    CHALLENGER_REJECTED = "challenger_rejected"
    ROLLED_BACK = "rolled_back"
    RUN_FAILED = "run_failed"
    NO_DATA = "no_data"
    """No window arrived when one was due: the dead man's switch."""
    PREDICTOR_WITHOUT_MODEL = "predictor_without_model"
    MODEL_UNUSABLE = "model_unusable"
    """What was deployed cannot be used; the predictor goes on with the model before it."""
    DELIVERY_FAILED = "delivery_failed"
    """A channel refuses our messages for good."""

    @property
    def is_notice(self) -> bool:
        """Whether it is news of something done: there is nothing to repair, and the next run closes it."""
        return self.value in NOTICES


NOTICES = [e.value for e in (Event.RETRAINED, Event.PROMOTED, Event.CHALLENGER_REJECTED, Event.ROLLED_BACK)]
"""Values of the events that are notices."""


@record
class Guidance:
    """The fixed parts of a message."""

    title: str
    matters: str
    """Does it matter?"""
    action: str
    """What shall I do?"""


_GUIDANCE = {
    Event.HALTED: Guidance(
        title="Run halted by data quality",
        matters="The window was neither judged nor used for training; the deployed model goes on unwatched until the "
        "feed is repaired.",
        action="Read the findings, repair the feed at its source, then run the window again.",
    ),
    Event.DATA_DRIFT: Guidance(
        title="Applications look different",
        matters="On its own it does not harm: the model may still be right about these applicants. It matters if model "
        "drift or concept drift is reported too.",
        action="See which columns moved and whether there is a reason for it, such as a campaign or a new product.",
    ),
    Event.CONCEPT_DRIFT: Guidance(
        title="Features mean something else than before",
        matters="The relation that the model learnt has changed: its probabilities are wrong for some applicants.",
        action="See the column and the date in the report; the pipeline retrains on data after the change.",
    ),
    Event.MODEL_DRIFT: Guidance(
        title="The deployed model does worse",
        matters="Decisions are worse than on the model's own hold-out.",
        action="See whether a challenger was promoted; if none was, review the decisions near the threshold by hand.",
    ),
    Event.RETRAINED: Guidance(
        title="New models were trained",
        matters="For information: the deployed model was compared with them.",
        action="Nothing. The comparison stands in the report.",
    ),
    Event.PROMOTED: Guidance(
        title="A new model is online",
        matters="Decisions are made by another model from now on.",
        action="Nothing, if the reason convinces you; `loanwatch models rollback` takes it back.",
    ),
    Event.CHALLENGER_REJECTED: Guidance(
        title="Retraining did not help",
        matters="What called for retraining is still there, and the deployed model stays online.",
        action="Read why the challenger lost; more data after the change, or a repair of the feed, may be needed.",
    ),
    Event.ROLLED_BACK: Guidance(
        title="The model was rolled back",
        matters="Decisions are made by the previous model again.",
        action="Find out what was wrong with the other one before the next run promotes its like.",
    ),
    Event.RUN_FAILED: Guidance(
        title="A run could not be completed",
        matters="The window is not judged; whatever is wrong in it goes unseen.",
        action="Remove the cause and ask for the same window again: it continues where it stopped.",
    ),
    Event.NO_DATA: Guidance(
        title="No data arrived",
        matters="Nothing is being watched. Either the feed or the scheduler stands still.",
        action="Look at the scheduler first (`loanwatch runs`), then at the source tables.",
    ),
    Event.PREDICTOR_WITHOUT_MODEL: Guidance(
        title="The predictor has no model",
        matters="Applications are not being decided.",
        action="`loanwatch models list` shows what can be put online, `loanwatch models promote` does it.",
    ),
    Event.MODEL_UNUSABLE: Guidance(
        title="The deployed model cannot be used",
        matters="Applications are decided by the model before it, which is not the one that the registry calls online.",
        action="Restore the model's files, or put another version online: `loanwatch models rollback`.",
    ),
    Event.DELIVERY_FAILED: Guidance(
        title="A channel refuses our messages",
        matters="Alerts do not reach the people who read that channel.",
        action="Correct the channel's settings, check with `loanwatch alerts test`, then `loanwatch alerts redeliver`.",
    ),
}  # fmt: skip

_OF_A_RULE = Guidance(
    title="A figure breaks its rule",
    matters="A limit that somebody set for this model does not hold.",
    action="Look at the figure's history in the report, then acknowledge or mute the alert or change the rule.",
)


def guidance_of(event: str | None) -> Guidance:
    """Return what to say of an event; of a broken rule where it is None or not known to this release.

    >>> guidance_of("halted").title
    'Run halted by data quality'
    """
    try:
        return _GUIDANCE[Event(event or "")]
    except ValueError:
        return _OF_A_RULE
