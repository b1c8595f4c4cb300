"""Simulate a lender's applications: the raw source tables and the truth behind them."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract, default_contract
from loanwatch.records import record
from loanwatch.simulator.calendar import rows_between
from loanwatch.simulator.draw import Draw, Plan, draw_chunks
from loanwatch.simulator.events import Event, as_utc
from loanwatch.simulator.features import PER_MONTH, arrival_seconds, utc_series
from loanwatch.simulator.identifiers import uuid_like
from loanwatch.simulator.leaks import Leaks
from loanwatch.simulator.population import Population
from loanwatch.simulator.source import source_tables

__all__ = ["Simulation", "simulate", "simulate_chunks"]


@record
class Simulation:
    """Applications as the source holds them, and what is true of them."""

    tables: dict[str, pl.DataFrame]
    """loan_details, customer_details and credit_details, raw, columns in the contract's order. Applications that have
    not arrived by the end of the simulated period are not in loan_details."""
    truth: pl.DataFrame
    """One row an application, in order of time: loan_id, application_time and arrival_time (UTC; null: never), the 20
    predictors as perfect cleaning of an unbroken feed would give them, `probability` (true P(given | features)),
    `label` (True: given), `events` (those active, `+` between them, null for none), and the flaws of its records:
    `ambiguous`, `sentinel`, `tenfold`."""
    events: tuple[Event, ...] = ()


def simulate(
    *,
    start: date,
    end: date,
    seed: int,
    rows: int | None = None,
    per_month: float = PER_MONTH,
    events: Sequence[Event] = (),
    leaks: Leaks | None = None,
    population: Population | None = None,
) -> Simulation:
    """Simulate the applications of [start, end).

    Parameters
    ----------
    start, end : date or datetime
        First day, and first day after; whole days, UTC.
    seed : int
        0 or above. The same seed and arguments give the same tables, to the last bit; another seed, or another start,
        gives other identifiers too.
    rows : int, optional
        Number of applications; by default it follows from `per_month`.
    per_month : float
        Applications in a month of 30.4 days.
    events : sequence of Event
        What is planted.
    leaks : Leaks, optional
        Label leaks to plant; by default none.
    population : Population, optional
        Who applies.

    Returns
    -------
    Simulation

    Raises
    ------
    ContractError
        If an event, a leak or a number cannot be used.
    WindowError
        If start is not before end.

    Examples
    --------
    >>> month = simulate(start=date(2015, 1, 1), end=date(2015, 2, 1), seed=1)
    >>> month.truth.height
    4481
    """
    chunks = list(
        simulate_chunks(
            start=start,
            end=end,
            seed=seed,
            rows=rows,
            per_month=per_month,
            events=events,
            leaks=leaks,
            population=population,
        )
    )
    return Simulation(
        tables={name: pl.concat([c.tables[name] for c in chunks]) for name in chunks[0].tables},
        truth=pl.concat([c.truth for c in chunks]),
        events=tuple(events),
    )


def simulate_chunks(
    *,
    start: date,
    end: date,
    seed: int,
    rows: int | None = None,
    per_month: float = PER_MONTH,
    events: Sequence[Event] = (),
    leaks: Leaks | None = None,
    population: Population | None = None,
) -> Iterator[Simulation]:
    """Do what `simulate` does in pieces of at most 50,000 applications, so that memory stays bounded.

    The pieces together are exactly what `simulate` returns.
    """
    plan = Plan(
        rows=rows_between(start, end, per_month=per_month) if rows is None else rows,
        start=start,
        end=end,
        seed=seed,
        events=tuple(events),
        leaks=leaks or Leaks(),
        population=population or Population(),
    )
    contract = default_contract()
    return (_simulation(plan, draw, contract) for draw in draw_chunks(plan))


def _simulation(plan: Plan, draw: Draw, contract: Contract) -> Simulation:
    rng = draw.streams.of("ids")
    loan_id, customer_id = uuid_like(len(draw.seconds), rng), uuid_like(len(draw.seconds), rng)
    arrival = arrival_seconds(plan, draw)
    tables = source_tables(plan, draw, (loan_id, customer_id), contract)
    here = arrival < as_utc(plan.end).timestamp()
    if not here.all():
        late = loan_id.filter(pl.Series(~here))
        tables["loan_details"] = tables["loan_details"].filter(~pl.col("loan_id").is_in(late.implode()))
    truth = pl.DataFrame(
        [loan_id.alias("loan_id"), utc_series("application_time", draw.seconds), _arrival_series(arrival)]
    )
    truth = pl.concat([truth, draw.clean.to_frame()], how="horizontal").with_columns(
        pl.Series("probability", draw.probability),
        pl.Series("label", draw.label),
        _active_events(plan.events, draw.seconds),
        pl.Series("ambiguous", draw.clean.ambiguous),
        pl.Series("sentinel", draw.clean.sentinel),
        pl.Series("tenfold", draw.clean.tenfold),
    )
    return Simulation(tables=tables, truth=truth, events=plan.events)


def _arrival_series(arrival: NDArray[np.float64]) -> pl.Series:
    known = np.where(np.isfinite(arrival), arrival, 0).astype(np.int64)
    series = utc_series("arrival_time", known)
    return series.zip_with(pl.Series(np.isfinite(arrival)), pl.Series([None], dtype=series.dtype))


def _active_events(events: Sequence[Event], seconds: NDArray[np.int64]) -> pl.Series:
    if not events:
        return pl.Series("events", [None], dtype=pl.String).new_from_index(0, len(seconds))
    patterns, which = np.unique(np.column_stack([e.active(seconds) for e in events]), axis=0, return_inverse=True)
    named = ["+".join(e.kind for e, on in zip(events, row, strict=True) if on) or None for row in patterns.tolist()]
    return pl.Series("events", named, dtype=pl.String).gather(which.ravel().astype(np.uint32))
