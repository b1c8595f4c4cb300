"""Clean one row in plain Python: for a single application, building polars expressions costs more than the work.

The result is that of `columns.clean_columns` to the last bit; a property test holds the two together.
"""

import math
from collections.abc import Mapping, Sequence

import polars as pl

from loanwatch.contract import Contract, Kind
from loanwatch.features.plan import ColumnPlan, dtype_of, issue_dtype, per_contract, plans_of
from loanwatch.features.text import number_value, word_value

__all__ = ["Cell", "can_clean_row", "clean_row", "clean_values"]

Cell = str | float | None

_PLAIN = frozenset(
    {pl.String(), pl.Boolean(), pl.Null(), pl.Float64(), pl.Float32(), pl.Int64(), pl.Int32(), pl.UInt32()}
)


@per_contract
def _schema_of(contract: Contract) -> dict[str, pl.DataType]:
    return {plan.name: dtype_of(plan.kind) for plan in plans_of(contract)}


def can_clean_row(frame: pl.DataFrame, plans: Sequence[ColumnPlan]) -> bool:
    """Say whether the frame is one row of text, numbers and nulls; times and rarer types go the columns' way."""
    if frame.height != 1 or not _PLAIN.issuperset(frame.dtypes):
        return False
    values = dict(zip(frame.columns, frame.row(0), strict=True))
    return all(_is_plain(values.get(plan.name), plan.kind) for plan in plans)


def _is_plain(value: object, kind: Kind) -> bool:
    return value is None or kind is Kind.NUMERIC or (isinstance(value, str) and kind is not Kind.TIME)


def clean_row(frame: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cleaned columns and the columns of issues, each of one row."""
    values, issues = clean_values(dict(zip(frame.columns, frame.row(0), strict=True)), contract)
    cleaned = pl.DataFrame([tuple(values.values())], schema=_schema_of(contract), orient="row")
    if not issues:
        return cleaned, pl.DataFrame(height=1)
    return cleaned, pl.DataFrame([tuple(issues.values())], schema=dict.fromkeys(issues, issue_dtype()), orient="row")


def clean_values(given: Mapping[str, Cell], contract: Contract) -> tuple[dict[str, Cell], dict[str, str]]:
    """Return the cleaned value of every source column, and the issue of those that have one; times are left null.

    Parameters
    ----------
    given : mapping of column name to text, number or None
        What is not there counts as None, and so does a time: `columns.clean_columns` reads those.
    """
    values: dict[str, Cell] = {}
    issues: dict[str, str] = {}
    for plan in plans_of(contract):
        found = None if plan.kind is Kind.TIME else given.get(plan.name)
        if found is None:
            values[plan.name] = None
            continue
        values[plan.name], issue = _clean(found, plan)
        if issue is not None:
            issues[plan.name] = issue
    return values, issues


def _clean(value: Cell, plan: ColumnPlan) -> tuple[Cell, str | None]:
    if value is None:
        return None, None
    if plan.kind is Kind.NUMERIC:
        return _clean_number(value, plan)
    text = str(value)
    if plan.kind is Kind.TEXT:
        return text, None
    word = word_value(text, lower=plan.kind is Kind.CATEGORICAL)
    meant = None if word is None else plan.spellings.get(word)
    if meant is None:
        return word, None
    return (meant, "respelled") if meant else (None, "sentinel")


def _clean_number(value: str | float, plan: ColumnPlan) -> tuple[float | None, str | None]:
    if isinstance(value, str):
        number = number_value(value)
        if number is None:
            return None, None if word_value(value) is None else "unreadable"
    else:
        number = float(value)
    if not math.isfinite(number):
        return None, "unreadable"
    if number in plan.sentinels:
        return None, "sentinel"
    if plan.minimum <= number <= plan.maximum:
        return number, None
    if plan.tenfold and 10 * plan.minimum <= number <= 10 * plan.maximum:
        return number / 10, "rescaled"
    return None, "out_of_range"
