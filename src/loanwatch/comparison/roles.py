"""The columns that are more than a feature: label, score and time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from loanwatch.comparison.amounts import NEARLY_ALL
from loanwatch.comparison.columns import numbers_of, time_format
from loanwatch.comparison.texts import NOT_KNOWN, example_of, has_no_text, nothing_like, sound_times, texts_of
from loanwatch.errors import SourceError, shorten
from loanwatch.records import record
from loanwatch.statistics import FloatArray

__all__ = ["SIDES", "LabelReading", "ScoreReading", "TimeReading", "read_label", "read_score", "read_time"]

SIDES = ("reference", "current table")
_SOME = 0.2
_ROUNDING = 1e-6
"""A probability in single precision may lie so far beyond 0 or 1."""
_TRUTH = {"1": 1.0, "true": 1.0, "0": 0.0, "false": 0.0}
_POSITIVE = ("1", "true", "yes", "y", "t", "positive", "good", "approved", "given", "paid")


@record
class LabelReading:
    """What the label column holds."""

    column: str
    positive: str = "1"
    negative: str = "0"
    binary: bool = True
    """Two values at most; otherwise the label is compared like a feature."""
    limitations: tuple[str, ...] = ()

    def read(self, values: pl.Series) -> FloatArray:
        """Return 1 for the positive label, 0 for the negative, NaN for anything else."""
        texts = _texts(values)
        meant = {self.positive: 1.0, self.negative: 0.0}
        if meant.keys() == {"0", "1"}:
            meant = _TRUTH  # one table may hold true and false, the other 1 and 0
        codes = texts.replace_strict(meant, default=None, return_dtype=pl.Float64)
        return codes.to_numpy()


@record
class ScoreReading:
    """What the score column holds."""

    column: str
    probabilities: bool
    """Whether all scores seen lie in [0, 1]."""
    limitations: tuple[str, ...] = ()

    @staticmethod
    def read(values: pl.Series) -> FloatArray:
        """Return the scores, NaN where not known; what lies outside [0, 1] by rounding alone is 0 or 1."""
        numbers = numbers_of(values).to_numpy()
        rounded = np.clip(numbers, 0.0, 1.0)
        return np.where(np.abs(numbers - rounded) <= _ROUNDING, rounded, numbers)


@record
class TimeReading:
    """How the time column becomes a time."""

    column: str
    forms: tuple[str, ...] = ()
    """The formats of texts, the reference's first."""
    limitations: tuple[str, ...] = ()

    def read(self, values: pl.Series) -> pl.Series:
        """Return times in UTC, null where not known."""
        moment = pl.Datetime("us", "UTC")
        if isinstance(values.dtype, pl.Datetime):
            sound = sound_times(values)
            aware = sound if values.dtype.time_zone else sound.dt.replace_time_zone("UTC")
            return aware.dt.convert_time_zone("UTC").cast(moment)
        if values.dtype == pl.Date:
            return sound_times(values).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        if values.dtype.is_numeric():
            return _times_of_numbers(values)
        if values.dtype == pl.String and self.forms:
            return max((_times(values, form) for form in self.forms), key=pl.Series.count)
        return nothing_like(values, moment)


def _times(texts: pl.Series, form: str) -> pl.Series:
    read = texts.str.strip_chars().str.to_datetime(form, strict=False, time_unit="us")
    zone = read.dt.convert_time_zone("UTC") if "z" in form else read.dt.replace_time_zone("UTC")
    return zone.cast(pl.Datetime("us", "UTC"))


def _times_of_numbers(values: pl.Series) -> pl.Series:
    """Read days as 20240131, and seconds, milliseconds, microseconds or nanoseconds since 1970; years 2000 to 2099."""
    number, since, moment = pl.col("number"), 946_684_800, pl.Datetime("us")
    until = since + 36_525 * 86_400
    reads = [number.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us")]
    for per_second in (1, 10**3, 10**6, 10**9):
        micro = number * (10**6 // per_second) if per_second <= 10**6 else number // (per_second // 10**6)
        is_meant = number.is_between(since * per_second, until * per_second)
        reads.append(pl.when(is_meant).then(micro).cast(moment))
    frame = values.cast(pl.Int64, strict=False).alias("number").to_frame()
    return frame.select(pl.coalesce(reads).dt.replace_time_zone("UTC")).to_series().alias(values.name)


def read_label(samples: Sequence[pl.DataFrame], column: str, *, score: ScoreReading | None) -> LabelReading:
    """Find the label's two values and which of them is the positive one.

    1 and true are positive. Of two words it is the one with the higher scores, or without scores the one that says
    yes, or the more frequent one; a limitation tells which.

    Raises
    ------
    SourceError
        If the column holds nested values.
    """
    held = [s[column] for s in samples if column in s.columns]
    if any(has_no_text(v.dtype) for v in held):
        raise SourceError(f"--label {shorten(column)}: the column holds nested values or objects")
    missing = tuple(
        f"The {side} has no known label: label, performance and relation cannot be compared."
        for side, s in zip(SIDES, samples, strict=True)
        if column not in s.columns or s[column].count() == 0
    )
    counts: dict[str, int] = {}
    for values in held:
        for text, rows in zip(
            *(c.to_list() for c in _texts(values).drop_nulls().value_counts().get_columns()), strict=True
        ):
            counts[text] = counts.get(text, 0) + rows
    if len(counts) > 2:
        counts = {text: rows for text, rows in counts.items() if text not in NOT_KNOWN} or counts
    if counts and set(counts) <= {"true", "false"}:
        return LabelReading(column=column, positive="true", negative="false", limitations=missing)
    if set(counts) <= _TRUTH.keys():
        return LabelReading(column=column, limitations=missing)
    if len(counts) > 2:
        told = (
            f"{shorten(column)} has {len(counts):,} different labels: compared like a feature, no performance judged. "
            "A contract can name the two that count."
        )
        return LabelReading(column=column, binary=False, limitations=(told,))
    positive = _positive(samples, column, counts, score)
    negative = next((text for text in counts if text != positive), f"not {positive}")
    told = f"“{shorten(positive, 40)}” is taken for the positive label."
    return LabelReading(column=column, positive=positive, negative=negative, limitations=(told, *missing))


def read_score(samples: Sequence[pl.DataFrame], column: str) -> ScoreReading:
    """Find out whether the scores are probabilities.

    Raises
    ------
    SourceError
        If the column holds no numbers.
    """
    wrong, known = 0, 0
    outside: list[float] = []
    for sample in samples:
        if column not in sample.columns:
            continue
        numbers = numbers_of(sample[column])
        if numbers.count() == 0 and sample[column].count():
            example = example_of(sample[column])
            raise SourceError(f"--score {shorten(column)}: scores are numbers, the column holds {example}")
        numbers = numbers.fill_nan(None).drop_nulls()
        beyond = numbers.filter(~numbers.is_between(-_ROUNDING, 1.0 + _ROUNDING))
        wrong, known = wrong + beyond.len(), known + numbers.len()
        outside += beyond.head(1).to_list()
    if not wrong:
        return ScoreReading(column=column, probabilities=True)
    told = (
        f"{shorten(column)} holds {wrong:,} of {known:,} values outside [0, 1], as {outside[0]:g}: "
        "compared as numbers, no performance judged from them."
    )
    return ScoreReading(column=column, probabilities=False, limitations=(told,))


def read_time(samples: Sequence[pl.DataFrame], column: str) -> TimeReading:
    """Find out how the time column becomes a time.

    Raises
    ------
    SourceError
        If it holds no times.
    """
    held = {side: s[column] for side, s in zip(SIDES, samples, strict=True) if column in s.columns}
    known = {side: values for side, values in held.items() if values.count()}
    forms = [time_format(values, enough=_SOME) for values in known.values() if values.dtype == pl.String]
    reading = TimeReading(column=column, forms=tuple(dict.fromkeys(form for form in forms if form is not None)))
    read = {side: reading.read(values).count() / values.count() for side, values in known.items()}
    if known and not any(read.values()):
        example = example_of(next(iter(known.values())))
        raise SourceError(f"--time {shorten(column)}: the column holds {example}, which is no time known here")
    told = [
        f"{100 * (1 - share):.0f} % of the times in {shorten(column)} of the {side} cannot be read."
        for side, share in read.items()
        if share < NEARLY_ALL
    ]
    lacking = [side for side in SIDES if side not in known]
    told += [f"{shorten(column)} of the {side} holds no time: its rows are not dated." for side in lacking]
    return replace(reading, limitations=tuple(told))


def _texts(values: pl.Series) -> pl.Series:
    """Return labels as text, whole numbers without a decimal point, nothing for the empty text and NaN."""
    texts = texts_of(values).str.strip_chars()
    return texts.set(texts == "", None).alias("label")


def _positive(samples: Sequence[pl.DataFrame], column: str, counts: dict[str, int], score: ScoreReading | None) -> str:
    if score is not None:
        means: dict[str, Any] = {}
        for sample in samples:
            if {column, score.column} <= set(sample.columns):
                numbers, texts = score.read(sample[score.column]), _texts(sample[column])
                for text in counts:
                    chosen = numbers[(texts == text).fill_null(value=False).to_numpy()]
                    if np.isfinite(chosen).any():
                        means.setdefault(text, float(np.nanmean(chosen)))
        if len(set(means.values())) == 2:
            return max(means, key=lambda text: means[text])
    for text in counts:
        if text.lower() in _POSITIVE:
            return text
    return max(counts, key=lambda text: (counts[text], text))
