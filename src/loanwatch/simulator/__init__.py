"""A population of applicants with planted events, for demos and for tests with known truth."""

from loanwatch.simulator.demo import DEMO_ENDINGS, demo_schedule
from loanwatch.simulator.events import (
    CorrelationFlip,
    DuplicateFeed,
    Event,
    FeatureShift,
    LateData,
    MissingShift,
    MixShift,
    NewCategory,
    NullFeed,
    PriorShift,
    RelationChange,
    UnitChange,
)
from loanwatch.simulator.features import simulate_features
from loanwatch.simulator.leaks import Leaks
from loanwatch.simulator.population import Population
from loanwatch.simulator.schedule import load_events, parse_events
from loanwatch.simulator.simulation import Simulation, simulate, simulate_chunks
from loanwatch.simulator.write import write

__all__ = [
    "DEMO_ENDINGS",
    "CorrelationFlip",
    "DuplicateFeed",
    "Event",
    "FeatureShift",
    "LateData",
    "Leaks",
    "MissingShift",
    "MixShift",
    "NewCategory",
    "NullFeed",
    "Population",
    "PriorShift",
    "RelationChange",
    "Simulation",
    "UnitChange",
    "demo_schedule",
    "load_events",
    "parse_events",
    "simulate",
    "simulate_chunks",
    "simulate_features",
    "write",
]
