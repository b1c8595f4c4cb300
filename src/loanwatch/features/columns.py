"""Clean many rows: polars expressions, in two passes (read, then judge)."""

from collections.abc import Sequence
from functools import partial

import polars as pl

from loanwatch.contract import Kind
from loanwatch.features.plan import ColumnPlan, dtype_of, issue_dtype
from loanwatch.features.text import number_column, word_column

__all__ = ["clean_columns"]

_UNREADABLE = "unreadable:"
_EXACT_INTEGERS = 2.0**53


def clean_columns(frame: pl.DataFrame, plans: Sequence[ColumnPlan]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cleaned columns and, of the same height, the columns of issues that have any."""
    schema = frame.schema
    present = [(plan, schema.get(plan.name, pl.Null())) for plan in plans]
    reads = [_read(plan, dtype) for plan, dtype in present]
    flags = [f.alias(_UNREADABLE + plan.name) for plan, f in zip(plans, (f for _, f in reads), strict=True)]
    # A literal column takes the height of the others; a frame that has none of the columns gives it one.
    anchor = pl.repeat(None, frame.height, dtype=pl.Null).alias("")
    read = frame.select(anchor, *(v.alias(plan.name) for plan, (v, _) in zip(plans, reads, strict=True)), *flags)
    issues = read.select(anchor, *(_issue(plan).alias(plan.name) for plan in plans))
    kept = [s for s in issues.iter_columns() if s.name and s.null_count() < s.len()]
    judged = read.with_columns(s.alias(_UNREADABLE + s.name) for s in kept)
    marked = {s.name for s in kept}
    values = judged.select(_value(plan, marked=plan.name in marked).alias(plan.name) for plan in plans)
    return values, pl.DataFrame(kept) if kept else pl.DataFrame(height=frame.height)


def _read(plan: ColumnPlan, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    """Return the typed value, and whether there was a value that has no such type."""
    source = pl.col(plan.name)
    typed = dtype_of(plan.kind)
    nothing = pl.lit(None, dtype=typed)
    no = pl.lit(value=False)
    if dtype == pl.Null:
        return nothing, no
    text = _as_text(source, dtype)
    if text is None and not (plan.kind is Kind.TIME and dtype.is_temporal()):
        return nothing, source.is_not_null()
    if plan.kind is Kind.TIME:
        value = _time(source, dtype, plan.formats)
        given = word_column(source, lower=False).is_not_null() if dtype == pl.String else source.is_not_null()
        return value, given & value.is_null()
    if plan.kind is Kind.NUMERIC:
        return _number(source, dtype)
    assert text is not None  # noqa: S101  (the only other case returned above)
    if plan.kind is Kind.TEXT:
        return text, no
    return word_column(text, lower=plan.kind is Kind.CATEGORICAL), no


def _number(source: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    if dtype.is_numeric() or dtype == pl.Boolean:
        value = source.cast(pl.Float64)
        return pl.when(value.is_finite()).then(value), ~value.is_finite().fill_null(value=True)
    if dtype.is_temporal():
        return pl.lit(None, dtype=pl.Float64), source.is_not_null()
    text = source.cast(pl.String)
    value = number_column(text)
    return value, value.is_null() & word_column(text, lower=False).is_not_null()


def _as_text(source: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Return the column as text, whole numbers without a decimal point; None for values that have none."""
    if dtype == pl.String:
        return source
    if dtype.is_float() or dtype.is_decimal():
        value = source.cast(pl.Float64)
        whole = (value == value.floor()) & (value.abs() < _EXACT_INTEGERS)
        return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        return None
    return source.cast(pl.String)


def _time(source: pl.Expr, dtype: pl.DataType, formats: Sequence[str]) -> pl.Expr:
    typed = dtype_of(Kind.TIME)
    if isinstance(dtype, pl.Datetime):
        aware = source if dtype.time_zone else source.dt.replace_time_zone("UTC")
        return aware.dt.convert_time_zone("UTC").cast(typed)
    if dtype == pl.Date:
        return source.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if dtype != pl.String:
        return pl.lit(None, dtype=typed)
    return source.map_batches(partial(_times, formats=formats), return_dtype=typed, is_elementwise=True)


def _times(text: pl.Series, *, formats: Sequence[str]) -> pl.Series:
    """Read with each format what the formats before it could not read."""
    frame = text.to_frame("text").select(word_column(pl.col("text"), lower=False))
    times = pl.Series([None], dtype=dtype_of(Kind.TIME)).new_from_index(0, frame.height)
    for form in formats:
        unread = times.is_null() & frame["text"].is_not_null()
        if unread.any():
            read = frame.filter(unread).select(_parsed_time(pl.col("text"), form)).to_series()
            times = read if unread.all() else times.scatter(unread.arg_true(), read)
    return times


def _parsed_time(text: pl.Expr, form: str) -> pl.Expr:
    parsed = text.str.to_datetime(form, time_unit="us", strict=False)
    return parsed.dt.convert_time_zone("UTC") if "%z" in form else parsed.dt.replace_time_zone("UTC")


def _issue(plan: ColumnPlan) -> pl.Expr:
    value = pl.col(plan.name)
    names = {name: pl.lit(name, dtype=issue_dtype()) for name in issue_dtype().categories}
    nothing = pl.lit(None, dtype=issue_dtype())
    chain = pl.when(pl.col(_UNREADABLE + plan.name)).then(names["unreadable"]).when(value.is_null()).then(nothing)
    if plan.kind is Kind.NUMERIC:
        if plan.sentinels:
            chain = chain.when(value.is_in(plan.sentinels)).then(names["sentinel"])
        chain = chain.when(value.is_between(plan.minimum, plan.maximum)).then(nothing)
        if plan.tenfold:
            chain = chain.when(value.is_between(10 * plan.minimum, 10 * plan.maximum)).then(names["rescaled"])
        return chain.otherwise(names["out_of_range"])
    if plan.kind is Kind.CATEGORICAL and plan.spellings:
        emptied = [k for k, v in plan.spellings.items() if not v]
        chain = chain.when(value.is_in(emptied)).then(names["sentinel"])
        return chain.when(value.is_in(list(plan.spellings))).then(names["respelled"]).otherwise(nothing)
    return chain.otherwise(nothing)


def _value(plan: ColumnPlan, *, marked: bool) -> pl.Expr:
    value = pl.col(plan.name)
    if not marked:
        return value
    issue = pl.col(_UNREADABLE + plan.name)
    if plan.kind is Kind.NUMERIC:
        tenth = value.map_batches(_tenth, return_dtype=pl.Float64, is_elementwise=True) if plan.tenfold else value
        return pl.when(issue.is_null()).then(value).when(issue == "rescaled").then(tenth)
    if plan.kind is Kind.CATEGORICAL:
        meant = value.replace({k: v or None for k, v in plan.spellings.items()})
        return pl.when(issue.is_null()).then(value).otherwise(meant)
    return value


def _tenth(values: pl.Series) -> pl.Series:
    # Not as an expression: polars divides by a constant through its reciprocal, and 3407 / 10 would not be 340.7.
    return pl.Series(values.to_numpy() / 10)
