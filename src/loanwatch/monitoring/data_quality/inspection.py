"""What every data-quality rule looks at, and what it gives back."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from datetime import datetime
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Column, Contract, Engineered, Kind
from loanwatch.monitoring.data_quality.reference import Reference
from loanwatch.monitoring.labels import label_numbers
from loanwatch.monitoring.result import Finding, Measurement
from loanwatch.records import record
from loanwatch.statistics import FloatArray

__all__ = ["Cells", "Inspection", "Outcome"]


@record
class Cells:
    """The values of a cleaned window, and why some were changed or dropped."""

    frame: pl.DataFrame
    """Typed values, null where not known, and the audit columns."""
    issues: pl.DataFrame
    """For columns with repairs: why a value was changed or dropped; same height as `frame`."""

    @property
    def rows(self) -> int:
        """Applications in the window."""
        return self.frame.height

    def issue(self, column: str, issue: str) -> NDArray[np.bool_]:
        """Return which rows of a column had this issue, shape (rows,)."""
        if column not in self.issues.columns:
            return np.zeros(self.rows, dtype=bool)
        found: NDArray[np.bool_] = (self.issues[column].cast(pl.String) == issue).fill_null(value=False).to_numpy()
        return found

    def issue_counts(self, column: str) -> dict[str, int]:
        """Return issue → rows of a column, only issues that occurred."""
        if column not in self.issues.columns:
            return {}
        counts = self.issues[column].cast(pl.String).drop_nulls().value_counts(name="\0rows")
        return {str(word): int(rows) for word, rows in counts.iter_rows()}

    def missing(self, column: str) -> NDArray[np.bool_]:
        """Return which rows of a column are null and were so in the source, shape (rows,)."""
        null: NDArray[np.bool_] = self.frame[column].is_null().to_numpy()
        if column not in self.issues.columns:
            return null
        untouched: NDArray[np.bool_] = self.issues[column].is_null().to_numpy()
        return null & untouched


@record
class Inspection(Cells):
    """A cleaned window, its contract, and the reference where there is one."""

    contract: Contract
    now: datetime
    window: tuple[datetime, datetime] | None = None
    reference: Reference | None = None

    @cached_property
    def predictors(self) -> tuple[Column, ...]:
        """The source columns that the model sees, directly or through an engineered column, and that are there."""
        names: dict[str, None] = {}
        for column in self.contract.predictors:
            sources = column.sources if isinstance(column, Engineered) else (column.name,)
            names.update(dict.fromkeys(sources))
        columns = [self.contract.column(name) for name in names]
        wanted = (Kind.NUMERIC, Kind.CATEGORICAL)
        return tuple(c for c in columns if c.kind in wanted and c.name in self.frame.columns)

    @cached_property
    def ordered(self) -> Mapping[str, FloatArray]:
        """The known, finite values of each numeric predictor, ascending: sorted once for all rules that ask."""
        numeric = [c.name for c in self.predictors if c.kind is Kind.NUMERIC]
        values = {name: self.frame[name].drop_nulls().cast(pl.Float64) for name in numeric}
        return {
            name: known.filter(known.is_finite()).sort(multithreaded=False).to_numpy() for name, known in values.items()
        }

    @cached_property
    def label(self) -> NDArray[np.float64]:
        """1 for the positive label, 0 for the negative one, NaN where it is not known; shape (rows,)."""
        return label_numbers(self.frame, self.contract)

    def of_columns(self, names: AbstractSet[str]) -> Self:
        """Return the inspection of these columns alone."""
        return replace(self, frame=self.frame.select(n for n in self.frame.columns if n in names))

    def keep(self, rows: NDArray[np.bool_]) -> Self:
        """Return the inspection of these rows alone."""
        wanted = pl.Series(rows)
        return replace(self, frame=self.frame.filter(wanted), issues=self.issues.filter(wanted))


@record
class Outcome:
    """What one rule found, measured, and could not judge."""

    findings: tuple[Finding, ...] = ()
    measurements: Mapping[str, tuple[Measurement, ...]] = field(default_factory=dict)
    """Subject → what was measured, whether or not it was a finding."""
    limitations: tuple[str, ...] = ()
