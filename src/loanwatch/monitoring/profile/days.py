"""Rows of each day in coarse groups: from them comes the day-to-day variation of a reference."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from loanwatch.records import record
from loanwatch.statistics import CountArray, block_dispersion, ordered_block_dispersion

__all__ = [
    "DayCounts",
    "DayIndex",
    "count_days",
    "days_from_dict",
    "days_to_dict",
    "dispersions",
    "index_days",
    "merge_days",
]

_NO_DAY = int(np.iinfo(np.int64).min)
_DENSE_DAYS = 40_000
"""About a century: up to it a table from day to position is smaller than sorting the rows would cost."""

DayCounts = Mapping[str, CountArray]
"""ISO date → rows in each group of values, and at the end rows without a value."""


@record(eq=False)
class DayIndex:
    """The day of each row."""

    dates: tuple[str, ...]
    """The days that have rows, in order, ISO text."""
    positions: CountArray
    """Shape (n_rows,): position of the row's day among the dates; `len(dates)` where the time is not known."""


def index_days(times: pl.Series) -> DayIndex | None:
    """Find the day of each row; None where no row has one.

    Parameters
    ----------
    times : Series of Date or Datetime
    """
    days = times.dt.date().cast(pl.Int32).cast(pl.Int64).fill_null(_NO_DAY).to_numpy()
    dated = days != _NO_DAY
    if not dated.any():
        return None
    known = days if dated.all() else days[dated]
    found, position_of = _positions(known)
    positions = position_of if dated.all() else np.full(days.size, found.size, dtype=np.int64)
    if positions is not position_of:
        positions[dated] = position_of
    return DayIndex(dates=tuple(np.datetime_as_string(found.astype("datetime64[D]")).tolist()), positions=positions)


def _positions(days: CountArray) -> tuple[CountArray, CountArray]:
    first, last = int(days.min()), int(days.max())
    if last - first >= _DENSE_DAYS:
        found, positions = np.unique(days, return_inverse=True)
        return found, positions.astype(np.int64)
    held = np.bincount(days - first) > 0
    return np.flatnonzero(held) + first, (np.cumsum(held) - 1)[days - first]


def count_days(days: DayIndex | None, groups: CountArray, n_groups: int) -> dict[str, CountArray]:
    """Count rows by day and group; rows without a day are left out.

    Parameters
    ----------
    days : DayIndex of n_rows, or None
    groups : ndarray of shape (n_rows,), in [0, n_groups)
    n_groups : int
        Groups in all, the one without a value included.
    """
    if days is None:
        return {}
    cells = days.positions * n_groups
    cells += groups
    size = (len(days.dates) + 1) * n_groups
    table = np.bincount(cells, minlength=size).reshape(-1, n_groups)
    return dict(zip(days.dates, table, strict=False))


def merge_days(first: DayCounts, second: DayCounts) -> dict[str, CountArray]:
    """Add the counts of the days in both; days in order."""
    merged = dict(first)
    for date, counts in second.items():
        merged[date] = merged[date] + counts if date in merged else counts
    return dict(sorted(merged.items()))


def _day_matrix(days: DayCounts) -> CountArray:
    """Return the counts as one table of shape (n_days, n_groups), days in order."""
    return np.stack([days[date] for date in sorted(days)]) if days else np.zeros((0, 1), dtype=np.int64)


def dispersions(days: DayCounts, *, window_days: int, ordered: bool) -> tuple[float, float, float]:
    """Return how much more than chance blocks of `window_days` vary.

    Returns
    -------
    tuple of float
        φ of the values, φ of the missing rate, φ of the values in their order, for groups that have one; the last group
        with a value is of those never held before, and has none.
    """
    table = _day_matrix(days)
    if table.shape[0] == 0:
        return 1.0, 1.0, 1.0
    weekday = np.array([dt.date.fromisoformat(day).weekday() for day in sorted(days)], dtype=np.intp)
    presence = np.stack([table[:, :-1].sum(axis=1), table[:, -1]], axis=1)
    return (
        block_dispersion(table[:, :-1], block_days=window_days, weekday=weekday),
        block_dispersion(presence, block_days=window_days, weekday=weekday),
        ordered_block_dispersion(table[:, :-2], block_days=window_days, weekday=weekday) if ordered else 1.0,
    )


def days_to_dict(days: DayCounts) -> dict[str, Any]:
    """Return built-in types only."""
    return {date: counts.tolist() for date, counts in days.items()}


def days_from_dict(values: Mapping[str, Any]) -> dict[str, CountArray]:
    """Rebuild what `days_to_dict` returned."""
    return dict(zip(values, np.array(list(values.values()), dtype=np.int64), strict=True)) if values else {}
