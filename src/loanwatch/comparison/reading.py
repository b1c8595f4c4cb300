"""From a block of rows as they came to what the profiles count."""

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol, Self

import polars as pl

from loanwatch.comparison.columns import ColumnReading, numbers_of
from loanwatch.comparison.plan import Plan
from loanwatch.comparison.roles import LabelReading, ScoreReading
from loanwatch.comparison.texts import has_no_text, no_numbers_in, nothing_like, texts_of
from loanwatch.contract import Contract, Kind
from loanwatch.features import clean
from loanwatch.features.engineering import engineer
from loanwatch.records import record
from loanwatch.statistics import FloatArray

__all__ = ["Block", "ContractReader", "InferredReader", "Reader"]


@record
class Block:
    """Some rows, read."""

    frame: pl.DataFrame
    """Numbers, texts, and the time column; null where not known."""
    issues: pl.DataFrame | None
    """Why a value is not known."""
    label: FloatArray | None
    """1, 0 or NaN; None where there is no label column."""
    score: FloatArray | None

    def of_columns(self, names: Collection[str]) -> Self:
        """Return the rows with these columns alone, and without label and score."""
        frame = self.frame.select(name for name in self.frame.columns if name in names)
        return replace(self, frame=frame, issues=None, label=None, score=None)

    def thinned(self, rows: int) -> Self:
        """Return about so many rows, evenly taken; all of them where there are fewer than twice as many."""
        step = self.frame.height // max(rows, 1)
        if step < 2:
            return self
        return replace(
            self,
            frame=self.frame.gather_every(step),
            issues=None if self.issues is None else self.issues.gather_every(step),
            label=None if self.label is None else self.label[::step],
            score=None if self.score is None else self.score[::step],
        )


class Reader(Protocol):
    """Knows what columns mean."""

    @property
    def contract(self) -> Contract:
        """What is compared."""
        ...

    def wanted(self, offered: Collection[str], columns: Collection[str] | None = None) -> list[str]:
        """Return which of the offered columns are needed, to compare all columns or some."""
        ...

    def read(self, rows: pl.DataFrame) -> Block:
        """Read some rows."""
        ...

    def under(self, contract: Contract) -> Self:
        """Return a reader of the same columns under a contract that asks for something else."""
        ...


@record
class InferredReader:
    """Reads by what was found in the data."""

    plan: Plan

    @property
    def contract(self) -> Contract:
        """What is compared."""
        return self.plan.contract

    def under(self, contract: Contract) -> Self:
        """Return a reader of the same columns under a contract that asks for something else."""
        return replace(self, plan=replace(self.plan, contract=contract))

    def wanted(self, offered: Collection[str], columns: Collection[str] | None = None) -> list[str]:
        """Return which of the offered columns are needed, to compare all columns or some."""
        compared = {c.name for c in self.contract.columns} if columns is None else set(columns)
        roles = {role.column for role in (self.plan.time, self.plan.label, self.plan.score) if role is not None}
        return [name for name in offered if name in compared | roles]

    def read(self, rows: pl.DataFrame) -> Block:
        """Read some rows."""
        values: dict[str, pl.Series] = {}
        issues: dict[str, pl.Series] = {}  # by name, or polars would give a column without a name one of its own
        for name in rows.columns:
            reading = self.plan.columns.get(name)
            if reading is None or not reading.compared:
                continue
            read = _numbers if reading.kind is Kind.NUMERIC else _categories
            value, issue = read(rows[name], reading)
            values[name] = value
            if issue is not None:
                issues[name] = issue
        time = self.plan.time
        if time is not None and time.column in rows.columns:
            values[time.column] = time.read(rows[time.column])
        return Block(
            frame=pl.DataFrame(values) if values else pl.DataFrame(height=rows.height),
            issues=pl.DataFrame(issues) if issues else None,
            label=_label(self.plan.label, rows),
            score=_score(self.plan.score, rows),
        )


@record
class ContractReader:
    """Reads by a contract that was given."""

    contract: Contract
    label: LabelReading | None
    score: ScoreReading | None

    def under(self, contract: Contract) -> Self:
        """Return a reader of the same columns under a contract that asks for something else."""
        return replace(self, contract=contract)

    def wanted(self, offered: Collection[str], columns: Collection[str] | None = None) -> list[str]:
        """Return which of the offered columns are needed; engineered ones need others, so none is left out."""
        del columns
        named = {*self.contract.column_names, *(role.column for role in (self.label, self.score) if role is not None)}
        return [name for name in offered if name in named]

    def read(self, rows: pl.DataFrame) -> Block:
        """Read some rows."""
        known = rows.select(c for c in rows.columns if c in self.contract.column_names)
        cleaned = clean(known, self.contract)
        engineered = [e.name for e in self.contract.engineered if set(e.sources) <= set(rows.columns)]
        frame = engineer(cleaned.frame, self.contract).select([*known.columns, *engineered])
        if not frame.width:
            frame = pl.DataFrame(height=rows.height)  # rows without a column that the contract knows are rows
        return Block(
            frame=frame,
            issues=cleaned.issues if cleaned.issues.width else None,
            label=_label(self.label, cleaned.frame if self.label and self.label.column in known.columns else rows),
            score=_score(self.score, rows),
        )


def _numbers(values: pl.Series, reading: ColumnReading) -> tuple[pl.Series, pl.Series | None]:
    numbers = numbers_of(values, decimal_comma=reading.decimal_comma is not None)
    issue = None
    if not values.dtype.is_numeric() and numbers.null_count() > values.null_count():
        given = values.is_not_null()
        if values.dtype == pl.String:
            given &= (values.str.strip_chars() != "") & ~no_numbers_in(values)
        issue = _flagged(numbers.is_null() & given, "unreadable")
    if reading.sentinels:
        found = numbers.is_in(reading.sentinels)
        if found.any():
            numbers = numbers.set(found, None)
            issue = (
                _flagged(found, "sentinel") if issue is None else issue.set(found.fill_null(value=False), "sentinel")
            )
    return numbers, issue


def _categories(values: pl.Series, reading: ColumnReading) -> tuple[pl.Series, pl.Series | None]:
    if has_no_text(values.dtype):
        return nothing_like(values, pl.String), _flagged(values.is_not_null(), "unreadable")
    texts = texts_of(values)
    empty = texts.is_in(["", *reading.not_known]) if reading.not_known else texts == ""
    return (texts.set(empty, None) if empty.any() else texts), None


def _flagged(rows: pl.Series, issue: str) -> pl.Series:
    return pl.select(pl.when(rows).then(pl.lit(issue))).to_series()


def _label(reading: LabelReading | None, rows: pl.DataFrame) -> FloatArray | None:
    if reading is None or not reading.binary or reading.column not in rows.columns:
        return None
    return reading.read(rows[reading.column])


def _score(reading: ScoreReading | None, rows: pl.DataFrame) -> FloatArray | None:
    if reading is None or reading.column not in rows.columns:
        return None
    return reading.read(rows[reading.column])
