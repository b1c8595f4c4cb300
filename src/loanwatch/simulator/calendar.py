"""When applications come in: opening hours, whole minutes, a mild rhythm of the week."""

from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import WindowError
from loanwatch.simulator.events.base import as_utc

__all__ = ["DAYS_A_MONTH", "application_seconds", "check_days", "day_counts", "rows_between"]

DAYS_A_MONTH: Final = 30.4375
_SECONDS_A_DAY: Final = 86_400
_OPENING_SECOND: Final = 10 * 3_600
_OPENING_MINUTES: Final = 300
_WEEKDAY_WEIGHTS: Final = np.array([1.10, 1.05, 1.0, 1.0, 1.0, 0.95, 0.90])
"""Monday to Sunday, relative to the mean day."""


def check_days(start: date, end: date) -> None:
    """Raise WindowError unless start is before end and both are whole days."""
    first, last = as_utc(start), as_utc(end)
    if first >= last:
        raise WindowError(f"simulate: start {first:%Y-%m-%d} is not before end {last:%Y-%m-%d}")
    for name, moment in (("start", first), ("end", last)):
        if moment.timestamp() % _SECONDS_A_DAY:
            raise WindowError(f"simulate: {name} is a whole day, got {moment.isoformat()}")


def rows_between(start: date, end: date, *, per_month: float) -> int:
    """Return how many applications fall into [start, end) at a monthly rate."""
    days = (as_utc(end) - as_utc(start)).total_seconds() / _SECONDS_A_DAY
    return round(per_month * days / DAYS_A_MONTH)


def day_counts(
    rows: int, start: date, end: date, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every day of [start, end), its midnight (seconds since 1970) and its number of applications."""
    first, last = as_utc(start), as_utc(end)
    days = np.arange(first.timestamp(), last.timestamp(), _SECONDS_A_DAY).astype(np.int64)
    weights = _WEEKDAY_WEIGHTS[(days // _SECONDS_A_DAY + 3) % 7]  # 1970-01-01 was a Thursday
    return days, rng.multinomial(rows, weights / weights.sum())


def application_seconds(midnights: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a time within the opening hours for each day given, in order of time."""
    minutes = rng.integers(0, _OPENING_MINUTES, len(midnights))
    return np.sort(midnights + _OPENING_SECOND + 60 * minutes)
