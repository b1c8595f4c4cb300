"""What can be planted in a simulated population, each with its known truth."""

from typing import Final

from loanwatch.simulator.events.base import Event, FeatureEvent, FeedEvent, as_utc
from loanwatch.simulator.events.features import CorrelationFlip, FeatureShift, MissingShift, MixShift, NewCategory
from loanwatch.simulator.events.feed import DuplicateFeed, LateData, NullFeed, UnitChange
from loanwatch.simulator.events.relation import PriorShift, RelationChange

__all__ = [
    "EVENT_KINDS",
    "CorrelationFlip",
    "DuplicateFeed",
    "Event",
    "FeatureEvent",
    "FeatureShift",
    "FeedEvent",
    "LateData",
    "MissingShift",
    "MixShift",
    "NewCategory",
    "NullFeed",
    "PriorShift",
    "RelationChange",
    "UnitChange",
    "as_utc",
]

_ALL: Final[tuple[type[Event], ...]] = (
    FeatureShift,
    MixShift,
    NewCategory,
    MissingShift,
    CorrelationFlip,
    RelationChange,
    PriorShift,
    UnitChange,
    NullFeed,
    DuplicateFeed,
    LateData,
)

EVENT_KINDS: Final[dict[str, type[Event]]] = {event.kind: event for event in _ALL}
"""Event name in a schedule file → class."""
