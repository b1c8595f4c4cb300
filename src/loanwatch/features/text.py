"""Text as people and exports write it: how it becomes a number or a category.

Each rule exists twice, for one Python value and for a polars column; a property test holds the two together.
"""

import math
import re

import polars as pl

__all__ = ["number_column", "number_value", "word_column", "word_value"]

# Python and Rust disagree on what white space is; an explicit set is the same on both sides.
_SPACE = " \t\n\r\x0b\x0c\xa0\u2007\u202f\ufeff"
_BODY = r"(?:[1-9][0-9]{0,2}(?:[, ][0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = rf"(?:[+-] ?[$€£]? ?|[$€£] ?[+-]? ?)?{_BODY}|\((?:[$€£] ?)?{_BODY}\)"
_DECORATION = r"[$€£,() ]"
_NUMBER_PATTERN = re.compile(_NUMBER)
_DECORATION_PATTERN = re.compile(_DECORATION)


def number_value(text: str) -> float | None:
    """Return the number that a text means, or None where it means none.

    Thousands separators (comma or space, in groups of three and not behind a 0), a currency sign, a sign, an exponent
    and the accountant's parentheses for a negative amount are understood; anything else, NaN and infinity included, is
    not.

    >>> [number_value(t) for t in ("$1,234.50", "-12", "(12)", "1.5e3", "#VALUE!")]
    [1234.5, -12.0, -12.0, 1500.0, None]
    """
    text = text.strip(_SPACE)
    if _NUMBER_PATTERN.fullmatch(text) is None:
        return None
    value = float(_DECORATION_PATTERN.sub("", text))
    if not math.isfinite(value):
        return None
    return -value if text.startswith("(") else value


def number_column(text: pl.Expr) -> pl.Expr:
    """Return, as Float64, what `number_value` returns for each text."""
    return text.map_batches(_numbers, return_dtype=pl.Float64, is_elementwise=True)


def _numbers(text: pl.Series) -> pl.Series:
    """Read bare numbers as they are, which is most of them, and only the rest with patterns, which is slow."""
    bare = text.cast(pl.Float64, strict=False)
    odd = text.is_not_null() & ~bare.is_finite().fill_null(value=False)
    if not odd.any():
        return bare
    read = text.filter(odd).to_frame("text").select(_decorated(pl.col("text"))).to_series()
    return bare.scatter(odd.arg_true(), read)


def _decorated(text: pl.Expr) -> pl.Expr:
    stripped = text.str.strip_chars(_SPACE)
    value = stripped.str.replace_all(_DECORATION, "").cast(pl.Float64, strict=False)
    readable = stripped.str.contains(rf"^(?:{_NUMBER})$") & value.is_finite()
    return pl.when(readable).then(pl.when(stripped.str.starts_with("(")).then(-value).otherwise(value))


def word_value(text: str, *, lower: bool = True) -> str | None:
    """Return a category as it is compared: trimmed, in lower case; None where nothing is left.

    >>> word_value("  Home Mortgage "), word_value(" ")
    ('home mortgage', None)
    """
    word = text.strip(_SPACE)
    if lower:
        # Beyond ASCII the two languages may know different Unicode versions.
        word = word.lower() if word.isascii() else pl.Series([word]).str.to_lowercase().item()
    return word or None


def word_column(text: pl.Expr, *, lower: bool = True) -> pl.Expr:
    """Return what `word_value` returns for each text."""
    word = text.str.strip_chars(_SPACE)
    word = word.str.to_lowercase() if lower else word
    return pl.when(word != "").then(word)
