"""Put a window into a contract's extraction query."""

import re
from datetime import UTC, datetime

from loanwatch.errors import ContractError

__all__ = ["bind_window"]

# Strings, quoted names, comments and dollar quotes come first, so that a $1 inside of them is left alone.
_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$
    | \$(?P<number>\d+)""",
    re.VERBOSE | re.DOTALL,
)


def bind_window(query: str, *, start: datetime, end: datetime) -> str:
    """Return the query with `$1` and `$2` replaced by the window's ends, as literals of type timestamptz.

    Literals and not bound parameters: PostgreSQL's COPY, which streams, takes no parameters.

    >>> bind_window("t >= $1 AND t < $2 AND note = '$1'", start=datetime(2015, 4, 1), end=datetime(2015, 5, 1))
    "t >= TIMESTAMPTZ '2015-04-01T00:00:00+00:00' AND t < TIMESTAMPTZ '2015-05-01T00:00:00+00:00' AND note = '$1'"

    Raises
    ------
    ContractError
        If the query has another parameter, or lacks one of the two.
    """
    if start.tzinfo is None:
        start, end = start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    values = {"1": start, "2": end}
    seen: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        number = match["number"]
        if number is None:
            return match[0]
        if number not in values:
            raise ContractError(f"the extraction query has parameter ${number}; it gets $1 (start) and $2 (end)")
        seen.add(number)
        return f"TIMESTAMPTZ '{values[number].isoformat()}'"

    bound = _TOKENS.sub(replaced, query).strip().removesuffix(";")
    if unused := sorted(values.keys() - seen):
        raise ContractError(f"the extraction query does not use ${unused[0]}: it gets $1 (start) and $2 (end)")
    return bound
