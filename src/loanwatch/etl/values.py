"""What a text from a file must look like to become a value of a SQL column."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from loanwatch.errors import shorten

__all__ = ["Reader", "reader_for"]

Reader = Callable[[str], str | None]
"""Text → text that PostgreSQL takes, or None for a missing value; raises ValueError with what is wrong."""

_WHOLE = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


def reader_for(sql_type: str, *, formats: tuple[str, ...]) -> Reader:
    """Return how the texts of a column of a SQL type are read.

    A text column takes every text, also one that should be a number or a time: the source may say anything there, and
    the quality check tells. A typed column takes its type only.

    >>> reader_for("double precision", formats=())(" 1e3 ")
    '1e3'
    """
    base = sql_type.split("(", maxsplit=1)[0].strip()
    if base in _WHOLE:
        return lambda text: _whole(text, _WHOLE[base])
    if base in ("numeric", "double precision", "real"):
        return _number
    if base.startswith("timestamp") or base == "date":
        return lambda text: _time(text, formats)
    return _text


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"{shorten(text, 60)!r} holds a NUL character, which PostgreSQL cannot store")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        shown = text[: error.start][-20:]
        raise ValueError(f"byte 0x{ord(text[error.start]) & 0xFF:02x} after {shown!r} is not UTF-8") from error
    return text


def _number(text: str) -> str | None:
    stripped = text.strip()
    try:
        value = float(stripped)
    except ValueError:
        raise ValueError(f"{shorten(_text(text), 60)!r} is not a number") from None
    if math.isnan(value):
        return None
    if math.isinf(value) or "_" in stripped or not stripped.isascii():
        raise ValueError(f"{shorten(text, 60)!r} is not a finite number")
    return stripped


def _whole(text: str, limit: int) -> str | None:
    number = _number(text)
    if number is None:
        return None
    value = float(number)
    if not value.is_integer() or not -limit <= value < limit:
        raise ValueError(f"{shorten(text, 60)!r} is not a whole number from {-limit} to {limit - 1}")
    return str(int(number) if number.lstrip("+-").isdigit() else int(value))


def _time(text: str, formats: tuple[str, ...]) -> str:
    for form in (*formats, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            moment = datetime.strptime(text.strip(), form)  # noqa: DTZ007  (source times are in UTC)
        except ValueError:
            continue
        return moment.replace(tzinfo=UTC).isoformat() if moment.tzinfo is None else moment.isoformat()
    expected = formats[0] if formats else "%Y-%m-%d %H:%M:%S"
    raise ValueError(f"{shorten(_text(text), 60)!r} is not a time like {expected}")
