"""What data quality needs to know of the reference window."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Self

import numpy as np

from loanwatch.monitoring.profile import REASONS, CategoricalProfile, ColumnProfile, NumericProfile, Profile
from loanwatch.records import record

__all__ = ["PROBABILITIES", "Reference"]

PROBABILITIES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999)
"""The quantiles that the unit check compares, fine enough to interpolate between."""


@record
class Reference:
    """Figures of the reference window, by column."""

    rows: int
    missing: Mapping[str, float] = field(default_factory=dict)
    """Share of rows in [0, 1] without a usable value."""
    numeric: Mapping[str, NumericProfile] = field(default_factory=dict)
    """Numeric columns with at least one value."""
    quantiles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Values at `PROBABILITIES`, numeric columns with at least one value."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest value, likewise."""
    distinct: Mapping[str, int] = field(default_factory=dict)
    """Lower bound of the number of different values."""
    most_frequent: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Rows with the most frequent value, and rows with any."""
    categories: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Category → rows; only columns whose categories were all kept."""
    repairs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Column → issue → share of rows; empty where the reference did not record issues."""
    rows_by_day: Mapping[date, int] = field(default_factory=dict)
    """Applications on each day that had any."""

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Take from a profile what data quality compares with."""
        columns = {name: column for name, column in profile.columns.items() if column.rows}
        numeric = {name: c for name, c in columns.items() if isinstance(c, NumericProfile) and c.present}
        categorical = {name: c for name, c in columns.items() if isinstance(c, CategoricalProfile)}
        issues = any(int(c.absent[1:].sum()) + c.repaired for c in columns.values())
        return cls(
            rows=profile.rows,
            missing={name: c.missing / c.rows for name, c in columns.items()},
            numeric=numeric,
            quantiles={name: tuple(c.quantiles(PROBABILITIES).tolist()) for name, c in numeric.items()},
            ranges={name: (c.minimum, c.maximum) for name, c in numeric.items()},
            distinct={name: int(np.count_nonzero(c.counts)) for name, c in columns.items()},
            most_frequent={name: (int(c.counts.max(initial=0)), c.present) for name, c in columns.items()},
            categories={name: _categories(c) for name, c in categorical.items() if _all_kept(c)},
            repairs={name: _repairs(c) for name, c in columns.items()} if issues else {},
            rows_by_day=_rows_by_day(columns),
        )


def _all_kept(column: CategoricalProfile) -> bool:
    return int(column.counts[-1]) == sum(column.others.values())


def _categories(column: CategoricalProfile) -> dict[str, int]:
    known = dict(zip(column.edges.categories, column.counts[:-1].tolist(), strict=True))
    return {**{name: rows for name, rows in known.items() if rows}, **column.others}


def _repairs(column: ColumnProfile) -> dict[str, float]:
    shares = {reason: int(rows) / column.rows for reason, rows in zip(REASONS, column.absent, strict=True)}
    del shares["missing"]
    repair = "rescaled" if isinstance(column, NumericProfile) else "respelled"
    return {**shares, repair: column.repaired / column.rows}


def _rows_by_day(columns: Mapping[str, ColumnProfile]) -> dict[date, int]:
    """Every column counts every dated row, so any of them tells the rows of each day."""
    first = next(iter(columns.values()), None)
    return {date.fromisoformat(day): int(counts.sum()) for day, counts in first.days.items()} if first else {}
