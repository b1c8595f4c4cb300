"""One number again and again where the reference has none at all: a code that nobody has told of."""

import numpy as np
import polars as pl

from loanwatch.contract import Column, Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import rise_of_share
from loanwatch.monitoring.data_quality.wording import count, percent
from loanwatch.monitoring.profile.edges import LARGEST
from loanwatch.monitoring.result import Finding, Severity

__all__ = ["check_foreign_values"]

MINIMUM_SHARE = 0.01
"""A number that is rarer is no code for what is not known, or hardly matters."""
MINIMUM_ROWS = 20
_CODES, MOVED = 3, 0.05
"""Where more values than a few codes lie beyond the reference, the column moved, and none of them is a code."""
WHOLE_COLUMN = 0.9
"""Of the known values: then the column is another one, as of the next year, and no code stands between its values."""


def check_foreign_values(inspection: Inspection) -> Outcome:
    """Return a finding for each numeric predictor with one value, often, beyond all values of the reference."""
    if inspection.reference is None:
        return Outcome()
    columns = [c for c in inspection.predictors if c.kind is Kind.NUMERIC and c.name in inspection.reference.ranges]
    found = (_finding(inspection, column, comparisons=len(columns)) for column in columns)
    return Outcome(findings=tuple(f for f in found if f is not None))


def _finding(inspection: Inspection, column: Column, *, comparisons: int) -> Finding | None:
    assert inspection.reference is not None  # noqa: S101  (the caller looked)
    low, high = inspection.reference.ranges[column.name]
    values = inspection.frame[column.name].cast(pl.Float64).to_numpy()
    beyond = values[((values < low) | (values > high)) & (np.abs(values) < LARGEST)]  # larger ones count as missing
    if beyond.size < max(MINIMUM_ROWS, MINIMUM_SHARE * inspection.rows):
        return None
    distinct, rows_of_each = np.unique(beyond, return_counts=True)
    known, codes = int(np.isfinite(values).sum()), int(np.sort(rows_of_each)[-_CODES:].sum())
    if beyond.size - codes > MOVED * known:
        return None
    value, rows = float(distinct[rows_of_each.argmax()]), int(rows_of_each.max())
    if rows < max(MINIMUM_ROWS, MINIMUM_SHARE * inspection.rows) or rows > WHOLE_COLUMN * known:
        return None
    rise = rise_of_share(
        "foreign_value_rate",
        before=0.0,
        n_before=inspection.reference.rows,
        rows=rows,
        n=inspection.rows,
        comparisons=comparisons,
    )
    if rise.severity is Severity.NONE:
        return None
    often = f"{count(rows, 'row')} ({percent(rows / inspection.rows)})"
    return rise.finding(
        "foreign_value",
        column.name,
        f"{column.label} is {_number(value)} in {often}, beyond all that the reference holds, {_number(low)} to "
        f"{_number(high)}: probably a code for “not known”. Ask the source.",
        value=value,
        rows=rows,
        reference_range=[low, high],
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
