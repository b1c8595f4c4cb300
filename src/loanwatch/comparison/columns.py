"""How the columns of two tables are read when no contract says it."""

import re
from collections.abc import Iterator, Sequence

import polars as pl

from loanwatch.comparison.amounts import NEARLY_ALL, amounts_in, are_amounts, has_decimal_comma
from loanwatch.comparison.sentinels import find_sentinels
from loanwatch.comparison.texts import NOT_KNOWN, has_no_text, nothing_like, texts_of
from loanwatch.contract import Kind
from loanwatch.errors import shorten
from loanwatch.monitoring.profile.edges import LARGEST
from loanwatch.records import record

__all__ = ["TIME_FORMATS", "ColumnReading", "are_flags", "read_column", "time_format"]

TIME_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
    "%b-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
"""Tried in order on texts; the first that reads nearly all of them is taken."""

_IDENTIFIER = re.compile(r"(?:^|_)(?:id|ids|key|uuid|guid|hash)$|Id$|ID$")
_FEWEST_FOR_IDENTIFIER = 50
_WORDS_OF_TEXT = 4.0
_FEWEST_DAYS = 20
_HOLDS_DAYS = "holds days, written as year, month and day, which always move"


@record
class ColumnReading:
    """What a column holds."""

    name: str
    kind: Kind
    sentinels: tuple[float, ...] = ()
    """Numbers that stand for "not known"."""
    not_known: tuple[str, ...] = ()
    """Words among categories that stand for "not known", blanks too; of a CSV file no word is left."""
    why: str | None = None
    """Why it is not compared, for columns that are neither numeric nor categorical."""
    decimal_comma: str | None = None
    """Of numbers in text that are written 1.234,5: one of them."""
    beyond: bool = False
    """Whether there are infinite numbers, or ones that are no quantities any more."""

    @property
    def compared(self) -> bool:
        """Whether its distribution is compared."""
        return self.kind in (Kind.NUMERIC, Kind.CATEGORICAL)

    @property
    def limitations(self) -> Iterator[str]:
        """What is not compared, or was decided without being told."""
        if self.why is not None:
            yield f"{shorten(self.name)} is not compared: it {self.why}."
        if self.sentinels:
            listed = " and ".join(f"{value:,.0f}" for value in self.sentinels)
            yield f"{shorten(self.name)}: {listed} is taken to mean “not known”."
        if self.not_known:
            words = dict.fromkeys(f"“{word}”" if word.strip() else "a blank" for word in self.not_known)
            listed = " and ".join(words)
            yield f"{shorten(self.name)}: {listed} is taken to mean “not known”."
        if self.decimal_comma is not None:
            yield f"{shorten(self.name)}: “{self.decimal_comma}” is read as a number with a decimal comma."
        if self.beyond:
            yield f"{shorten(self.name)} holds infinite numbers, or ones beyond 1e100: they count as missing."


def read_column(samples: Sequence[pl.Series], *, rows: int) -> ColumnReading:
    """Say what a column holds, from samples of it.

    Parameters
    ----------
    samples : sequence of Series
        The reference's first. One in which nothing is known has no say.
    rows : int
        Rows of the table that the first sample was taken from.
    """
    name = samples[0].name
    known = [s for s in (s.drop_nulls() for s in samples) if s.len()]
    if not known:
        return ColumnReading(name=name, kind=Kind.NUMERIC)
    kind, why = (Kind.NUMERIC, None) if are_flags(known) else _kind(known[0], rows)
    if kind is Kind.CATEGORICAL:
        return ColumnReading(name=name, kind=kind, not_known=_not_known(known))
    if kind is not Kind.NUMERIC:
        return ColumnReading(name=name, kind=kind, why=why)
    decimal_comma = _with_decimal_comma(known[0])
    numbers = pl.concat([numbers_of(s, decimal_comma=decimal_comma is not None) for s in known]).drop_nulls()
    return ColumnReading(
        name=name,
        kind=kind,
        sentinels=find_sentinels(numbers.to_numpy()),
        decimal_comma=decimal_comma,
        beyond=bool((numbers.fill_nan(None).abs() >= LARGEST).any()),
    )


def are_flags(samples: Sequence[pl.Series]) -> bool:
    """Tell whether one table says true and false where the other has 1 and 0."""
    numbers = [s for s in samples if s.dtype.is_numeric()]
    flags = [s for s in samples if s.dtype == pl.Boolean]
    return bool(numbers and flags) and all(bool(((s == 0) | (s == 1)).all()) for s in numbers)


def _not_known(samples: Sequence[pl.Series]) -> tuple[str, ...]:
    words = [texts_of(s) for s in samples if s.dtype in (pl.String, pl.Categorical, pl.Enum)]
    distinct = pl.concat([texts.unique() for texts in words]).unique() if words else pl.Series(dtype=pl.String)
    blank = distinct.filter((distinct.str.strip_chars() == "") & (distinct != "")).sort()
    found = set(distinct.filter(distinct.is_in(NOT_KNOWN)))
    return (*(word for word in NOT_KNOWN if word in found), *blank)


def _with_decimal_comma(values: pl.Series) -> str | None:
    """Return one of the numbers written with a decimal comma, if those of the column are."""
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    texts = values.cast(pl.String)
    return next(iter(texts.filter(texts.str.contains(",", literal=True))), None) if has_decimal_comma(texts) else None


def numbers_of(values: pl.Series, *, decimal_comma: bool = False) -> pl.Series:
    """Return the values as Float64, null where they are no numbers."""
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64)
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    if has_no_text(values.dtype) or values.dtype.is_temporal():
        return nothing_like(values, pl.Float64)
    return amounts_in(values.cast(pl.String), decimal_comma=decimal_comma)


def time_format(texts: pl.Series, *, enough: float = NEARLY_ALL) -> str | None:
    """Return the first format in which nearly all texts can be read as times, if there is one.

    With a smaller share that is enough, the one that reads most of them.
    """
    known = texts.drop_nulls().head(2_000).str.strip_chars()
    few = known.head(20)
    # Most formats fail on the first few, and words without a digit on all of them.
    if few.is_empty() or not few.str.contains("[0-9]").any():
        return None
    hopeful = [
        form for form, share in zip(TIME_FORMATS, _shares_read(few, TIME_FORMATS), strict=True) if share >= enough / 2
    ]
    if not hopeful:
        return None
    shares = dict(zip(hopeful, _shares_read(known, hopeful), strict=True))
    best = max(shares, key=lambda form: min(shares[form], NEARLY_ALL))
    return best if shares[best] >= enough else None


def _shares_read(texts: pl.Series, forms: Sequence[str]) -> list[float]:
    times = (pl.col("text").str.to_datetime(form, strict=False, time_unit="us").count() for form in forms)
    read = texts.alias("text").to_frame().select(count.alias(str(at)) for at, count in enumerate(times))
    return [count / texts.len() for count in read.row(0)]


def _kind(values: pl.Series, rows: int) -> tuple[Kind, str | None]:
    dtype = values.dtype
    if dtype == pl.Boolean:
        return Kind.CATEGORICAL, None
    if dtype.is_integer():
        return _kind_of_integers(values, rows)
    if dtype.is_numeric() or dtype == pl.Duration:
        return Kind.NUMERIC, None
    if dtype.is_temporal():
        return Kind.TIME, "holds times, which always move"
    if has_no_text(dtype):
        return Kind.TEXT, f"holds {'nested values' if dtype.is_nested() else 'bytes or objects'}"
    return _kind_of_texts(texts_of(values).alias(values.name))


def _kind_of_integers(values: pl.Series, rows: int) -> tuple[Kind, str | None]:
    if _are_days(values.unique().head(2_000).cast(pl.String)):
        return Kind.TIME, _HOLDS_DAYS
    if _is_numbered(values, rows):
        return Kind.ID, "has another number in nearly every row, as an identifier"
    return Kind.NUMERIC, None


def _is_numbered(values: pl.Series, rows: int) -> bool:
    distinct = values.n_unique()
    if distinct < 0.99 * values.len():
        return False
    if values.len() < _FEWEST_FOR_IDENTIFIER:
        return _is_called_identifier(values, distinct)
    whole = values.cast(pl.Float64).to_numpy()
    span = float(whole.max() - whole.min())
    return span < 4 * rows or bool(_IDENTIFIER.search(values.name))


def _is_called_identifier(values: pl.Series, distinct: int) -> bool:
    """Tell identifiers of a table too short to tell by their values: another one in every row, and the name says so."""
    return distinct == values.len() > 1 and bool(_IDENTIFIER.search(values.name))


def _kind_of_texts(texts: pl.Series) -> tuple[Kind, str | None]:
    distinct = texts.unique()
    blank = distinct.filter(distinct.str.strip_chars() == "")
    given = texts.filter(~texts.is_in(blank.implode())) if blank.len() else texts
    if given.is_empty():
        return Kind.CATEGORICAL, None
    if not distinct.str.contains("[0-9]").any():  # neither numbers nor times
        return _kind_of_words(given, distinct.len() - blank.len())
    if _are_days(distinct.filter(~distinct.is_in(blank.implode()))):
        return Kind.TIME, _HOLDS_DAYS
    if are_amounts(given) and not given.head(2_000).str.contains(r"^0[0-9]").any():
        return Kind.NUMERIC, None
    if time_format(given) is not None:
        return Kind.TIME, "holds times, which always move"
    return _kind_of_words(given, distinct.len() - blank.len())


def _are_days(distinct: pl.Series) -> bool:
    """Tell whether texts are days as 20240131: of numbers that are none, hardly one in thirty reads as a day."""
    looked_at = distinct.head(2_000)
    if looked_at.len() < _FEWEST_DAYS or not looked_at.str.contains(r"^(?:19|20)[0-9]{6}$").all():
        return False
    return _shares_read(looked_at, ["%Y%m%d"])[0] == 1.0


def _kind_of_words(given: pl.Series, distinct: int) -> tuple[Kind, str | None]:
    if _is_called_identifier(given, distinct):
        return Kind.ID, "has another text in every row, as an identifier"
    if given.len() >= _FEWEST_FOR_IDENTIFIER and distinct > 0.5 * given.len():
        words = float(given.head(2_000).str.split(" ").list.len().cast(pl.Float64).to_numpy().mean())
        if words >= _WORDS_OF_TEXT:
            return Kind.TEXT, "holds free text"
        return Kind.ID, "has another text in most rows, as an identifier"
    return Kind.CATEGORICAL, None
