"""How the source writes what an applicant is: mixed case, second spellings, amounts as text."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.simulator.batch import decode

__all__ = ["MISSING_JOB", "UNREADABLE", "money_text", "spelt", "status_text", "time_text"]

UNREADABLE: Final = "#VALUE!"
MISSING_JOB: Final = "n/a"

_LOWER_CASE_SHARE: Final = 0.03
"""Rows typed in lower case throughout."""
_OTHER_SPELLING_SHARE: Final = 0.004
"""Rows with the second spelling of a category that has one."""
_FIRST_SPELLING: Final = {
    "major purchase": "major_purchase",
    "small business": "small_business",
    "renewable energy": "renewable_energy",
    "buy a car": "Buy a Car",
    "take a trip": "Take a Trip",
    "moving": "moving",
    "wedding": "wedding",
    "vacation": "vacation",
    **{job: job for job in ("< 1 year", "1 year", *(f"{n} years" for n in range(2, 10)), "10+ years")},
}
_OTHER_SPELLING: Final = {"home mortgage": "HaveMortgage", "other": "other"}
_PLAIN_LIMIT: Final = 1_000


def spelt(name: str, codes: NDArray[np.int16], categories: Sequence[str], rng: np.random.Generator) -> pl.Series:
    """Return categories as the source spells them; -1 becomes null.

    Parameters
    ----------
    name : str
        Name of the series.
    codes : ndarray of shape (n,)
        Positions in `categories`.
    categories : sequence of str
        Clean spellings.
    rng : Generator
        Decides which rows get which spelling.
    """
    first = [_FIRST_SPELLING.get(c, c.title()) for c in categories]
    lower = [f.lower() for f in first]
    other = [_OTHER_SPELLING.get(c, f) for c, f in zip(categories, first, strict=True)]
    uniform = rng.random(len(codes))
    variant = (uniform < _LOWER_CASE_SHARE).astype(np.int16) + 2 * (uniform > 1 - _OTHER_SPELLING_SHARE)
    return decode(name, np.where(codes < 0, -1, codes + len(first) * variant), [*first, *lower, *other])


def status_text(name: str, given: NDArray[np.bool_], words: tuple[str, str], rng: np.random.Generator) -> pl.Series:
    """Return the label in the contract's words (refused, given), in mixed case."""
    return spelt(name, given.astype(np.int16), words, rng)


def time_text(name: str, seconds: NDArray[np.int64]) -> pl.Series:
    """Return sorted seconds since 1970 as `DD-MM-YYYY HH:MM:SS`."""
    distinct, positions = np.unique(seconds, return_inverse=True)
    text = pl.Series(distinct * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%d-%m-%Y %H:%M:%S")
    return text.gather(positions.astype(np.uint32)).alias(name)


def money_text(name: str, values: NDArray[np.float64], *, decimals: int, dollars: NDArray[np.bool_]) -> pl.Series:
    """Return amounts of money as text: `1234.5` or, where `dollars` is true, `$1,234.50`.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Amounts of at least 0, NaN where missing.
    decimals : int
        0 or 2.
    dollars : ndarray of shape (n,), bool
    """
    known = np.isfinite(values)
    cents = np.round(np.where(known, values, 0) * 100).astype(np.int64)
    frame = pl.DataFrame({"whole": cents // 100, "cents": cents % 100, "known": known, "dollars": dollars})
    whole, thousand = pl.col("whole"), _PLAIN_LIMIT
    grouped = (
        pl.when(whole < thousand)
        .then(whole.cast(pl.String))
        .when(whole < thousand**2)
        .then(pl.concat_str(whole // thousand, pl.lit(","), _digits(whole % thousand, 3)))
        .otherwise(
            pl.concat_str(
                whole // thousand**2,
                pl.lit(","),
                _digits(whole // thousand % thousand, 3),
                pl.lit(","),
                _digits(whole % thousand, 3),
            )
        )
    )
    tail = pl.concat_str(pl.lit("."), _digits(pl.col("cents"), 2)) if decimals else pl.lit("")
    text = pl.when("dollars").then(pl.concat_str(pl.lit("$"), grouped, tail)).otherwise(pl.concat_str(whole, tail))
    return frame.select(pl.when("known").then(text).alias(name)).to_series()


def _digits(numbers: pl.Expr, width: int) -> pl.Expr:
    return numbers.cast(pl.String).str.zfill(width)
