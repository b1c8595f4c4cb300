"""Rows without a usable value, by reason."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from loanwatch.statistics import CountArray

__all__ = ["REASONS", "REPAIRS", "count_absent", "count_repaired"]

REASONS = ("missing", "sentinel", "out_of_range", "unreadable")
"""Why a row has no value; PSI gives each a bin of its own."""
REPAIRS = ("rescaled", "respelled")
"""Issues after which the row still has a value."""


def count_absent(nulls: int, issues: pl.Series | None) -> CountArray:
    """Count the rows without a value by reason, in the order of `REASONS`.

    Parameters
    ----------
    nulls : int
        Rows without a value.
    issues : Series of Enum or String, or None
        The issue of each row, or null.
    """
    by_issue = _by_issue(issues)
    special = [by_issue.get(reason, 0) for reason in REASONS[1:]]
    return np.array([max(0, nulls - sum(special)), *special], dtype=np.int64)


def count_repaired(issues: pl.Series | None) -> int:
    """Count the rows whose value was changed on reading."""
    by_issue = _by_issue(issues)
    return sum(by_issue.get(repair, 0) for repair in REPAIRS)


def _by_issue(issues: pl.Series | None) -> Mapping[str, int]:
    if issues is None:
        return {}
    counted = issues.drop_nulls().cast(pl.String).value_counts(name="\0rows")
    return dict(zip(counted[issues.name].to_list(), counted["\0rows"].to_list(), strict=True))
