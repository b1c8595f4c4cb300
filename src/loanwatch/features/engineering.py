"""Columns computed from others: ratio, difference, product, part of the calendar."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from loanwatch.contract import CalendarPart, Contract, Engineered

__all__ = ["engineer", "engineer_values"]


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "ratio": operator.truediv,
    "difference": operator.sub,
    "product": operator.mul,
}


def engineer(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Add the contract's engineered columns, as Float64.

    A result that is no finite number, such as a division by zero, is null. Weeks are ISO weeks; season 1 is December
    to February, 2 March to May, 3 June to August, 4 September to November.

    Parameters
    ----------
    frame : DataFrame
        What `clean` returned.
    contract : Contract
        Says which columns to compute.

    Examples
    --------
    >>> from loanwatch.contract import default_contract
    >>> from loanwatch.features import clean
    >>> raw = pl.DataFrame({"current_credit_balance": [50.0], "current_loan_amount": [200.0]})
    >>> contract = default_contract()
    >>> engineer(clean(raw, contract).frame, contract)["current_credit_balance_ratio"].item()
    0.25
    """
    if not contract.engineered:
        return frame
    if frame.height == 1 and _has_no_time(frame, contract):
        return _engineer_row(frame, contract)
    return frame.with_columns(_column(frame, engineered) for engineered in contract.engineered)


def _column(frame: pl.DataFrame, engineered: Engineered) -> pl.Series | pl.Expr:
    if engineered.part is not None:
        return _calendar(pl.col(engineered.sources[0]), engineered.part).cast(pl.Float64).alias(engineered.name)
    # Not as an expression: polars divides by a constant column through its reciprocal, which rounds differently.
    first, second = (frame.get_column(source).to_numpy() for source in engineered.sources)
    with np.errstate(all="ignore"):
        result = _ARITHMETIC[engineered.kind](first, second)
    return pl.Series(engineered.name, np.where(np.isfinite(result), result, np.nan), nan_to_null=True)


def _calendar(time: pl.Expr, part: CalendarPart) -> pl.Expr:
    if part is CalendarPart.SEASON:
        return time.dt.month() % 12 // 3 + 1
    readers = {
        CalendarPart.YEAR: time.dt.year,
        CalendarPart.MONTH: time.dt.month,
        CalendarPart.WEEK: time.dt.week,
        CalendarPart.DAY: time.dt.day,
    }
    return readers[part]()


def _has_no_time(frame: pl.DataFrame, contract: Contract) -> bool:
    """Say whether every calendar part is null, as it is for a request that carries no time."""
    times = {e.sources[0] for e in contract.engineered if e.part is not None}
    return all(frame.get_column(name).has_nulls() for name in times)


def _engineer_row(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Do the same for one row, where building expressions would cost more than the work."""
    values = dict(zip(frame.columns, frame.row(0), strict=True))
    computed = [pl.Series(name, [value], dtype=pl.Float64) for name, value in engineer_values(values, contract).items()]
    if not {e.name for e in contract.engineered}.isdisjoint(frame.columns):
        return frame.with_columns(computed)
    return frame.hstack(computed)


def engineer_values(values: Mapping[str, Any], contract: Contract) -> dict[str, float | None]:
    """Return the engineered columns of one row of cleaned values; the parts of the calendar are left null."""
    return {e.name: None if e.part is not None else _value(values, e) for e in contract.engineered}


def _value(values: Mapping[str, Any], engineered: Engineered) -> float | None:
    first, second = (values[source] for source in engineered.sources)
    if first is None or second is None:
        return None
    try:
        value = float(_ARITHMETIC[engineered.kind](first, second))
    except ZeroDivisionError:
        return None
    return value if math.isfinite(value) else None
