"""Numbers in text as exports of all countries write them: with a unit, other thousands separators, a decimal comma."""

import polars as pl

from loanwatch.comparison.texts import no_numbers_in
from loanwatch.features.text import number_column

__all__ = ["NEARLY_ALL", "amounts_in", "are_amounts", "has_decimal_comma"]

NEARLY_ALL = 0.95
"""A column holds numbers, or times, if this share of its texts can be read as such: exports have slips."""

_ENOUGH_TO_TELL = 2_000
"""Texts of a longer column, drawn at random: their share is that of all within a per cent or two."""
_ENOUGH_FOR_COMMAS = 20_000
"""Likewise; commas may be rare."""
_UNIT = r"(?:[%$€£¥₹]|USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|CNY|INR|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|ZAR)"
_UNIT_BEFORE = rf"^\s*([+-]?)\s*{_UNIT}\s*"
_UNIT_BEHIND = rf"\s*{_UNIT}\s*$"
_WORD = "[a-df-z]"
"""A letter that stands in no amount: units are written in capitals, and an exponent has an e."""
_GROUP = r"['’\x{00A0}\x{2009}\x{202F}]([0-9]{3})"


def amounts_in(texts: pl.Series, *, decimal_comma: bool = False) -> pl.Series:
    """Return the numbers that texts mean as Float64, null where they mean none.

    A per cent sign or a currency before or behind the number is left out: 13.5% is 13.5.

    Parameters
    ----------
    texts : Series of String
    decimal_comma : bool
        Whether 1.234,5 is what others write as 1,234.5.

    Examples
    --------
    >>> amounts_in(pl.Series(["13.5%", "1'200.00 CHF", "USD 7", "NYC 7"])).to_list()
    [13.5, 1200.0, 7.0, None]
    >>> amounts_in(pl.Series(["4.987,12 €", "0,5"]), decimal_comma=True).to_list()
    [4987.12, 0.5]
    """
    text = pl.col("text")
    if decimal_comma:
        text = text.str.replace_many([".", ","], [",", "."])
    frame = texts.alias("text").to_frame().select(text)
    numbers = frame.select(number_column(pl.col("text"))).to_series()
    odd = numbers.is_null() & frame["text"].is_not_null()
    if odd.any():
        bare = pl.col("text").str.replace(_UNIT_BEFORE, "${1}").str.replace(_UNIT_BEHIND, "")
        bare = bare.str.replace_all(_GROUP, ",${1}")
        numbers = numbers.scatter(odd.arg_true(), frame.filter(odd).select(number_column(bare)).to_series())
    return numbers.alias(texts.name)


def are_amounts(texts: pl.Series) -> bool:
    """Tell whether nearly all texts are numbers, written with a decimal point or all with a decimal comma."""
    return any(_share_read(texts, decimal_comma=comma, rows=_ENOUGH_TO_TELL) >= NEARLY_ALL for comma in (False, True))


def has_decimal_comma(texts: pl.Series) -> bool:
    """Tell whether a column of numbers has decimal commas: more of it can be read so than with decimal points."""
    if not texts.str.contains(",", literal=True).any():
        return False
    with_comma, with_point = (_share_read(texts, decimal_comma=c, rows=_ENOUGH_FOR_COMMAS) for c in (True, False))
    return with_comma > with_point


def _share_read(texts: pl.Series, *, decimal_comma: bool, rows: int) -> float:
    """Return the share of texts that are numbers; each is read once, however often it stands there."""
    given = texts.drop_nulls().alias("text")
    if given.len() > rows:  # drawn, for evenly spaced rows may all be the first month of a customer
        given = given.sample(rows, seed=0)
    known = given.value_counts(name="rows")
    known = known.filter(~no_numbers_in(known["text"]) & (known["text"].str.strip_chars() != ""))
    hopeful = known.filter(~known["text"].str.contains(_WORD))
    if hopeful.is_empty():  # no pattern is compiled for words, which takes longer than to read them
        return 0.0
    is_read = amounts_in(hopeful["text"], decimal_comma=decimal_comma).is_not_null()
    return float(hopeful["rows"].filter(is_read).sum()) / float(known["rows"].sum())
