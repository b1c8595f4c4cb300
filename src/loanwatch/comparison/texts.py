"""Any column as text, whatever it holds."""

from datetime import UTC, datetime

import polars as pl

from loanwatch.errors import shorten

__all__ = ["NOT_KNOWN", "example_of", "has_no_text", "no_numbers_in", "nothing_like", "sound_times", "texts_of"]

NOT_KNOWN = ("NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What exports write for a value that is not there."""
_NO_NUMBER = {
    *(word.lower() for word in NOT_KNOWN),
    "n.a.",
    "#n/a",
    "<na>",
    "nil",
    "unknown",
    "missing",
    "-",
    "--",
    "?",
    ".",
}
"""Among numbers also these."""

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def has_no_text(dtype: pl.DataType) -> bool:
    """Whether values of this type are neither numbers, words nor times."""
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


def nothing_like(values: pl.Series, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Return as many nulls, under the same name."""
    return pl.Series(values.name, [None], dtype=dtype).new_from_index(0, values.len())


def no_numbers_in(texts: pl.Series) -> pl.Series:
    """Return which texts say, where numbers are expected, that there is none; null for null."""
    return texts.str.strip_chars().str.to_lowercase().is_in(_NO_NUMBER)


def texts_of(values: pl.Series) -> pl.Series:
    """Return the values as text, null where they have none.

    Whole numbers stand without a decimal point, whatever their type: 1.0 in one table is 1 in the other.

    >>> texts_of(pl.Series([1.0, float("nan")])).to_list(), texts_of(pl.Series([0.5, 1.0])).to_list()
    (['1', None], ['0.5', '1.0'])
    """
    dtype = values.dtype
    if has_no_text(dtype):
        return nothing_like(values, pl.String)
    if dtype.is_float() or dtype.is_decimal():
        numbers = values.cast(pl.Float64).fill_nan(None)
        whole = numbers.cast(pl.Int64, strict=False)
        return (whole if bool((whole == numbers).all()) else numbers).cast(pl.String)
    if dtype == pl.Duration:
        return values.to_physical().cast(pl.String)
    return sound_times(values).cast(pl.String)


def sound_times(values: pl.Series) -> pl.Series:
    """Return times with null for those before the year 1 or after 9999, which a calendar does not have."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        per_second: float = _PER_SECOND[dtype.time_unit]
    elif dtype == pl.Date:
        per_second = 1 / 86_400
    else:
        return values
    ticks = values.to_physical()
    if per_second == _PER_SECOND["ns"] or ticks.count() == 0:  # whose range is smaller than the calendar's
        return values
    first, last = (int(moment.timestamp() * per_second) for moment in (_FIRST, _LAST))
    sound = ticks.is_between(first, last)
    return values if sound.all() else values.set(~sound, None)


def example_of(values: pl.Series) -> str:
    """Return a value, or what the values are, for a message that says why they cannot be used."""
    texts = texts_of(values).drop_nulls()
    return repr(shorten(texts[0], 40)) if texts.len() else f"values of type {shorten(values.dtype, 40)}"
