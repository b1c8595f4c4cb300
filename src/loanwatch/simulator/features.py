"""Clean feature frames with label and true probability, without the raw quirks: for statistical tests."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import ceil
from typing import Final

import numpy as np
import polars as pl

from loanwatch.errors import ContractError
from loanwatch.simulator.calendar import DAYS_A_MONTH
from loanwatch.simulator.draw import Draw, Plan, draw_chunks
from loanwatch.simulator.events import Event, LateData, as_utc
from loanwatch.simulator.leaks import Leaks
from loanwatch.simulator.population import Population

__all__ = ["PER_MONTH", "arrival_seconds", "simulate_features", "utc_series"]

PER_MONTH: Final = 4_400.0
"""Applications a month at the lender whose figures the population follows."""
_FIRST_DAY: Final = date(2015, 1, 1)


def simulate_features(
    rows: int,
    *,
    seed: int,
    events: Sequence[Event] = (),
    start: date = _FIRST_DAY,
    per_month: float = PER_MONTH,
    leaks: Leaks | None = None,
    population: Population | None = None,
) -> pl.DataFrame:
    """Return applications as perfect cleaning would hand them on, in order of time.

    Parameters
    ----------
    rows : int
        Number of applications, above 0.
    seed : int
        The same seed, rows, start and population give the same applicants, whatever the events change on top.
    events : sequence of Event
        What is planted. An event without a start is active from the first row on.
    start : date
        First day; the last one follows from `rows` and `per_month`.
    per_month : float
        Applications a month.
    leaks : Leaks, optional
        By default none.
    population : Population, optional

    Returns
    -------
    DataFrame
        The 20 predictors (numbers as Float64, categories as clean text, null where not known), `label` (True: given),
        `probability` (true P(given | features)) and `application_time` (UTC). Broken feeds show in the features;
        applications that have not arrived are left out.

    Raises
    ------
    ContractError
        If a number, an event or a leak cannot be used.

    Examples
    --------
    >>> frame = simulate_features(1_000, seed=1)
    >>> frame.height, frame["label"].dtype
    (1000, Boolean)
    """
    if rows <= 0 or per_month <= 0:
        raise ContractError(f"simulate: rows and per_month are above 0, got {rows} and {per_month}")
    days = max(1, ceil(rows / per_month * DAYS_A_MONTH))
    plan = Plan(
        rows=rows,
        start=start,
        end=as_utc(start) + timedelta(days=days),
        seed=seed,
        events=tuple(events),
        leaks=leaks or Leaks(),
        population=population or Population(),
    )
    return pl.concat([_frame(plan, draw) for draw in draw_chunks(plan)])


def _frame(plan: Plan, draw: Draw) -> pl.DataFrame:
    frame = draw.recorded.to_frame().with_columns(
        pl.Series("label", draw.label),
        pl.Series("probability", draw.probability),
        utc_series("application_time", draw.seconds),
    )
    if any(isinstance(event, LateData) for event in plan.events):
        return frame.filter(pl.Series(arrival_seconds(plan, draw) < as_utc(plan.end).timestamp()))
    return frame


def arrival_seconds(plan: Plan, draw: Draw) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return when each application reaches the source, seconds since 1970; infinite for never."""
    arrival = draw.seconds.astype(np.float64)
    for number, event in enumerate(plan.events):
        if isinstance(event, LateData):
            chosen = draw.streams.of("feed", number).random(len(arrival)) < event.share
            arrival[event.active(draw.seconds) & chosen] += np.inf if event.days is None else event.days * 86_400
    return arrival


def utc_series(name: str, seconds: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.Series:
    """Return seconds since 1970 as aware datetimes."""
    return pl.Series(name, seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
