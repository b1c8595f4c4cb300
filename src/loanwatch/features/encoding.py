"""How one predictor becomes model inputs: fitted once, applied to a column or to a value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, Self

import numpy as np
import polars as pl

from loanwatch.contract import Column, Encoding, Engineered
from loanwatch.errors import NotEnoughDataError
from loanwatch.records import record

__all__ = ["Input", "Rescaling", "fit_column"]

FloatArray = np.ndarray[tuple[int], np.dtype[np.float64]]
Rescaling = Literal["standardise", "min_max", "none"]


@record
class Input:
    """One model input: where it comes from and what is done to it.

    The input is (number − centre) / scale, or 0 where the scale is 0 (a constant column). The number is the value or,
    for a category, its code; a missing value and a category without a code count as `fill`.
    """

    name: str
    column: str
    fill: float
    codes: Mapping[str, float] | None = None
    """Category → number; None for a numeric column."""
    centre: float = 0.0
    scale: float = 1.0

    def numbers(self, values: pl.Series) -> FloatArray:
        """Return the numbers before rescaling, of shape (n,)."""
        if self.codes is not None:
            words, numbers = list(self.codes), list(self.codes.values())
            values = values.replace_strict(words, numbers, default=None, return_dtype=pl.Float64)
        return values.cast(pl.Float64).fill_null(self.fill).to_numpy()

    def number(self, value: str | float | None) -> float:
        """Return the number of one value before rescaling."""
        if value is None:
            return self.fill
        if self.codes is not None:
            return self.codes.get(str(value), self.fill)
        return float(value)

    def rescaled(self, numbers: FloatArray, rescaling: Rescaling) -> Self:
        """Return the input with centre and scale fitted to numbers of shape (n,)."""
        low, high = float(numbers.min()), float(numbers.max())
        if rescaling == "none":
            return self
        # A constant column has a standard deviation of rounding errors, not of exactly 0.
        if low == high:
            return replace(self, centre=low, scale=0.0)
        if rescaling == "min_max":
            return replace(self, centre=low, scale=_finite(high - low))
        with np.errstate(over="ignore", invalid="ignore"):
            return replace(self, centre=_finite(numbers.mean()), scale=_finite(numbers.std()))

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self)


def fit_column(column: Column | Engineered, values: pl.Series, imputation: str) -> tuple[Input, ...]:
    """Fit the inputs of one predictor, without rescaling.

    Parameters
    ----------
    column : Column or Engineered
        The predictor. A categorical one without an encoding takes the ordinal one if it has an order, else shares.
    values : Series of shape (n,)
        Its cleaned training values.
    imputation : {"mode_mean", "mode_median"}
        What stands for a missing number; a missing category is always the most frequent one.

    Raises
    ------
    NotEnoughDataError
        If no row has a value, or no row has a category that the encoding knows.
    """
    known = values.drop_nulls()
    if known.is_empty():
        raise NotEnoughDataError(
            f"column {column.name} is null in all {values.len():,} training rows: "
            "mend its source, or set predictor = false in the contract"
        )
    if isinstance(column, Engineered) or known.dtype != pl.String:
        numbers = known.to_numpy()
        with np.errstate(over="ignore"):
            fill = _finite(numbers.mean() if imputation == "mode_mean" else np.median(numbers))
        return (Input(name=column.name, column=column.name, fill=fill),)
    encoding = column.encoding or (Encoding.ORDINAL if column.order else Encoding.FREQUENCY_SHARE)
    counts = _counts(known, column.order if encoding is Encoding.ORDINAL else ())
    if not counts:
        raise NotEnoughDataError(
            f"column {column.name} has none of the categories of its order in {known.len():,} training rows: "
            "correct order or spellings in the contract"
        )
    mode = max(counts, key=lambda word: (counts[word], word))
    if encoding is Encoding.ONE_HOT:
        return tuple(_indicator(column.name, word, counts, mode) for word in counts)
    codes = _codes(encoding, column.order, counts)
    return (Input(name=column.name, column=column.name, fill=codes[mode], codes=codes),)


def _finite(value: float | np.floating[Any]) -> float:
    """Return a built-in float, the largest there is in the place of infinity: sums of huge values overflow."""
    return float(np.nan_to_num(value))


def _counts(known: pl.Series, order: Sequence[str]) -> dict[str, int]:
    """Return how often each category occurs, by name; only those of the order where there is one."""
    counted = Counter(dict(known.value_counts(name="\0rows").iter_rows()))
    return {word: n for word, n in sorted(counted.items()) if not order or word in order}


def _indicator(column: str, word: str, counts: Mapping[str, int], mode: str) -> Input:
    codes = {other: float(other == word) for other in counts}
    return Input(name=f"{column}={word}", column=column, fill=codes[mode], codes=codes)


def _codes(encoding: Encoding, order: Sequence[str], counts: Mapping[str, int]) -> dict[str, float]:
    if encoding is Encoding.ORDINAL:
        return {word: float(position) for position, word in enumerate(order)}
    if encoding is Encoding.RANK:
        rarest_first = sorted(counts, key=lambda word: (counts[word], word))
        return {word: float(rank) for rank, word in enumerate(rarest_first, start=1)}
    whole = max(counts.values()) if encoding is Encoding.RELATIVE else sum(counts.values())
    return {word: n / whole for word, n in counts.items()}
