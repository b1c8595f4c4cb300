"""Make the applications of one stretch of time: applicants, events, label, recorded values."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ContractError
from loanwatch.records import record
from loanwatch.simulator.batch import Batch
from loanwatch.simulator.calendar import application_seconds, check_days, day_counts
from loanwatch.simulator.events import (
    CorrelationFlip,
    Event,
    FeatureEvent,
    FeedEvent,
    MissingShift,
    PriorShift,
    RelationChange,
)
from loanwatch.simulator.events.base import as_utc
from loanwatch.simulator.leaks import Leaks
from loanwatch.simulator.population import Population
from loanwatch.simulator.relation import Relation, fitted_relation
from loanwatch.statistics.special import expit, logit

__all__ = ["CHUNK_ROWS", "Draw", "Plan", "Streams", "draw_chunks"]

Vector = NDArray[np.float64]

CHUNK_ROWS: Final = 50_000
"""Applications made at once. Part of what a seed means: another size gives other applicants."""

_PURPOSES: Final = ("scores", "columns", "gaps", "label", "times", "ids", "quirks", "events", "feed", "replacement")


@record
class Streams:
    """Independent random generators, one a purpose, so that an event disturbs nothing but what it is about."""

    entropy: tuple[int, ...]

    def of(self, purpose: str, *more: int) -> np.random.Generator:
        """Return a fresh generator of a purpose, the same at every call."""
        return np.random.default_rng([*self.entropy, _PURPOSES.index(purpose), *more])

    def child(self, number: int) -> "Streams":
        """Return generators independent of these."""
        return Streams(entropy=(*self.entropy, 1_000 + number))


@record
class Plan:
    """Everything that determines a simulation."""

    rows: int
    start: date
    end: date
    seed: int
    events: tuple[Event, ...] = ()
    leaks: Leaks = field(default_factory=Leaks)
    population: Population = field(default_factory=Population)

    def __post_init__(self) -> None:
        check_days(self.start, self.end)
        if self.rows <= 0:
            raise ContractError(f"simulate: expected at least one application, got {self.rows}")
        if self.seed < 0:
            raise ContractError(f"simulate: seed is a whole number, 0 or above, got {self.seed}")
        self.leaks.check(self.population)
        for event in self.events:
            if isinstance(event, MissingShift):
                event.check_against(self.population.missing_rate(event.column))

    def streams(self, *more: int) -> Streams:
        """Return the generators of the plan, or of one of its chunks."""
        first_day = int(as_utc(self.start).timestamp()) // 86_400
        return Streams(entropy=(self.seed, first_day + 1_000_000, *more))


@record
class Draw:
    """The applications of one chunk, in order of time."""

    seconds: NDArray[np.int64]
    """Application time, seconds since 1970 in UTC."""
    clean: Batch
    """True values, missing where nobody knows them."""
    latent: Batch
    """The same with every value, as one of several contradicting records may hold it; also after broken feeds."""
    recorded: Batch
    """The clean values as the source delivers them: after broken feeds."""
    probability: Vector
    """P(given | clean values), with prior shifts and leaks."""
    label: NDArray[np.bool_]
    streams: Streams


@record
class _Applicants:
    latent: Batch
    clean: Batch
    log_odds: Vector
    label: NDArray[np.bool_]

    def put(self, rows: NDArray[np.intp], other: "_Applicants", source: NDArray[np.intp]) -> None:
        self.latent.put(rows, other.latent, source)
        self.clean.put(rows, other.clean, source)
        self.log_odds[rows] = other.log_odds[source]
        self.label[rows] = other.label[source]


def draw_chunks(plan: Plan) -> Iterator[Draw]:
    """Make a plan's applications, at most `CHUNK_ROWS` at a time."""
    # all times at once, 8 bytes each: a day that two chunks share is in order too
    rng = plan.streams().of("times")
    days, counts = day_counts(plan.rows, plan.start, plan.end, rng)
    seconds = application_seconds(np.repeat(days, counts), rng)
    for number, first in enumerate(range(0, plan.rows, CHUNK_ROWS)):
        yield _draw(plan, seconds[first : first + CHUNK_ROWS], plan.streams(number))


def _draw(plan: Plan, seconds: NDArray[np.int64], streams: Streams) -> Draw:
    people = _applicants(plan, seconds, streams)
    for number, event in enumerate(plan.events):
        if isinstance(event, PriorShift):
            _shift_prior(plan, event, people, seconds, streams.child(number))
    recorded = people.clean.copy()
    for number, event in enumerate(plan.events):
        if isinstance(event, FeedEvent):
            for batch in (recorded, people.latent):
                event.apply(batch, event.active(seconds), streams.of("feed", number))
    return Draw(
        seconds=seconds,
        clean=people.clean,
        latent=people.latent,
        recorded=recorded,
        probability=np.asarray(expit(people.log_odds), dtype=np.float64),
        label=people.label,
        streams=streams,
    )


def _applicants(plan: Plan, seconds: NDArray[np.int64], streams: Streams) -> _Applicants:
    population = plan.population
    scores = population.draw_scores(len(seconds), streams.of("scores"))
    for event in plan.events:
        if isinstance(event, CorrelationFlip):
            event.redraw(scores, event.active(seconds))
    latent = population.draw_columns(scores, streams.of("columns"))
    for number, event in enumerate(plan.events):
        if isinstance(event, FeatureEvent):
            event.apply(latent, event.active(seconds), streams.of("events", number))
    clean = latent.copy()
    population.forget(clean, streams.of("gaps"))
    for number, event in enumerate(plan.events):
        if isinstance(event, MissingShift):
            base = population.missing_rate(event.column)
            event.hide_more(clean, event.active(seconds), streams.of("events", number), base_rate=base)
    log_odds = _log_odds(plan, clean, seconds)
    label = streams.of("label").random(len(seconds)) < expit(log_odds)
    return _Applicants(latent=latent, clean=clean, log_odds=log_odds, label=label)


def _log_odds(plan: Plan, clean: Batch, seconds: NDArray[np.int64]) -> Vector:
    relation = fitted_relation(plan.population)
    changes = [event for event in plan.events if isinstance(event, RelationChange)]
    strengths: dict[str, Vector] = {}
    for change in changes:
        strengths[change.column] = strengths.get(change.column, 1.0) * change.multiplier(seconds)
    log_odds = relation.log_odds(clean, strengths)
    if any(change.keep_rate for change in changes):
        kept = np.logical_or.reduce([change.active(seconds) for change in changes if change.keep_rate])
        log_odds += np.where(kept, _recentring(relation, strengths), 0.0)
    return plan.leaks.apply(clean, log_odds, relation=relation, population=plan.population)


def _recentring(relation: Relation, strengths: Mapping[str, Vector]) -> Vector:
    """Return by row what keeps the share given; strengths move at most once a day, so few differ."""
    columns = list(strengths)
    distinct, which = np.unique(np.column_stack([strengths[c] for c in columns]), axis=0, return_inverse=True)
    offsets = [relation.recentred(dict(zip(columns, row.tolist(), strict=True))) for row in distinct]
    return np.asarray(np.array(offsets)[which.ravel()], dtype=np.float64)


def _shift_prior(
    plan: Plan, event: PriorShift, people: _Applicants, seconds: NDArray[np.int64], streams: Streams
) -> None:
    """Replace applicants of the shrinking class by new ones of the growing class: P(features | label) stays."""
    active = event.active(seconds)
    if not active.any():
        return
    before = float(expit(people.log_odds[active]).mean())
    after = event.new_rate(before)
    grows = after > before
    share_leaving = 1 - ((1 - after) / (1 - before) if grows else after / before)
    leaving = active & (people.label != grows) & (streams.of("replacement").random(len(seconds)) < share_leaving)
    rows = np.flatnonzero(leaving)
    others = _applicants(plan, seconds, streams)
    available = np.flatnonzero(active & (others.label == grows))
    # evenly spread over the time-ordered pool, so that replacements come from about the same moment
    people.put(rows, others, available[np.arange(len(rows)) * len(available) // max(len(rows), 1)])
    people.log_odds[active] += logit(after) - logit(before)
