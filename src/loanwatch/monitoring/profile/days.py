"""Rows of each day in coarse groups: from them comes the day-to-day variation of a reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from loanwatch.statistics import CountArray, block_dispersion

__all__ = ["NO_DAY", "DayCounts", "count_days", "days_from_dict", "days_to_dict", "dispersions", "merge_days"]

NO_DAY = int(np.iinfo(np.int64).min)
"""The day of a row whose time is not known."""

DayCounts = Mapping[str, CountArray]
"""ISO date → rows in each group of values, and at the end rows without a value."""


def count_days(days: CountArray | None, groups: CountArray, n_groups: int) -> dict[str, CountArray]:
    """Count rows by day and group.

    Parameters
    ----------
    days : ndarray of shape (n_rows,), or None
        Days since 1970-01-01; `NO_DAY` where the time is not known.
    groups : ndarray of shape (n_rows,), in [0, n_groups)
    n_groups : int
        Groups in all, the one without a value included.
    """
    if days is None or days.size == 0:
        return {}
    dated = days != NO_DAY
    if not dated.all():
        days, groups = days[dated], groups[dated]
        if days.size == 0:
            return {}
    first, last = int(days.min()), int(days.max())
    if last - first < 40_000:  # about a century: one dense table
        table = np.bincount((days - first) * n_groups + groups, minlength=(last - first + 1) * n_groups)
        return _by_date(np.arange(first, last + 1), table.reshape(-1, n_groups))
    found, index = np.unique(days, return_inverse=True)
    return _by_date(
        found, np.bincount(index * n_groups + groups, minlength=found.size * n_groups).reshape(-1, n_groups)
    )


def _by_date(days: CountArray, table: CountArray) -> dict[str, CountArray]:
    kept = np.flatnonzero(table.sum(axis=1) > 0)
    dates = np.datetime_as_string(days[kept].astype("datetime64[D]"))
    return {str(date): table[row].astype(np.int64) for date, row in zip(dates, kept, strict=True)}


def merge_days(first: DayCounts, second: DayCounts) -> dict[str, CountArray]:
    """Add the counts of the days in both; days in order."""
    merged = dict(first)
    for date, counts in second.items():
        merged[date] = merged[date] + counts if date in merged else counts
    return dict(sorted(merged.items()))


def _day_matrix(days: DayCounts) -> CountArray:
    """Return the counts as one table of shape (n_days, n_groups), days in order."""
    return np.stack([days[date] for date in sorted(days)]) if days else np.zeros((0, 1), dtype=np.int64)


def dispersions(days: DayCounts, *, window_days: int) -> tuple[float, float]:
    """Return how much more than chance blocks of `window_days` vary: (φ of the values, φ of the missing rate)."""
    table = _day_matrix(days)
    if table.shape[0] == 0:
        return 1.0, 1.0
    presence = np.stack([table[:, :-1].sum(axis=1), table[:, -1]], axis=1)
    return (
        block_dispersion(table[:, :-1], block_days=window_days),
        block_dispersion(presence, block_days=window_days),
    )


def days_to_dict(days: DayCounts) -> dict[str, Any]:
    """Return built-in types only."""
    return {date: counts.tolist() for date, counts in days.items()}


def days_from_dict(values: Mapping[str, Any]) -> dict[str, CountArray]:
    """Rebuild what `days_to_dict` returned."""
    return {date: np.asarray(counts, dtype=np.int64) for date, counts in values.items()}
