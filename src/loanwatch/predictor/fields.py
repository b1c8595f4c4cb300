"""What each field of an application may hold, worked out from the contract."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from loanwatch.contract import Column, Contract, Kind
from loanwatch.features import number_value, word_value
from loanwatch.records import record

__all__ = ["TEXT_LIMIT", "Field", "fields_of"]

TEXT_LIMIT = 500
"""Longer texts are refused: no category, id or amount needs them."""

_LARGEST = 1.7976931348623157e308


@record
class Field:
    """One field: whether a value will do, and in words what would."""

    name: str
    accepts: Callable[[Any], bool]
    expected: str
    required: bool = False
    schema: Mapping[str, Any]
    """JSON schema of a value that is accepted."""


def fields_of(contract: Contract) -> dict[str, Field]:
    """Return the fields that an application may have, in the contract's order.

    These are the source columns, label included, and the engineered columns, whose values are computed anew.
    """
    fields = {column.name: _field(column, contract) for column in contract.columns}
    for engineered in contract.engineered:
        fields.setdefault(engineered.name, _computed(engineered.name))
    return fields


def _field(column: Column, contract: Contract) -> Field:
    if column.name == contract.keys.application:
        return _key(column)
    if column.name == contract.time.column:
        return _time(column, contract.time.formats)
    if column.kind is Kind.NUMERIC:
        return _number(column)
    if column.kind is Kind.CATEGORICAL:
        known = {"examples": list(column.order)} if column.order else {}
        return Field(
            name=column.name,
            accepts=_is_text,
            expected=f"text of at most {TEXT_LIMIT} characters, or null",
            schema={"type": ["string", "null"], "maxLength": TEXT_LIMIT, **_TEXT_SCHEMA, **known},
        )
    return Field(
        name=column.name,
        accepts=lambda value: _is_text(value) or _is_id_number(value),
        expected=f"text of at most {TEXT_LIMIT} characters, a whole number, or null",
        schema={"type": ["string", "integer", "null"], "maxLength": TEXT_LIMIT, **_TEXT_SCHEMA, **_ID_SCHEMA},
    )


_TEXT_SCHEMA = {"pattern": r"^[^\u0000]*$"}
_ID_LIMIT = 2**53
_ID_SCHEMA = {"minimum": -_ID_LIMIT, "maximum": _ID_LIMIT}


def _is_text(value: Any) -> bool:  # noqa: ANN401  (anything that JSON can hold)
    return value is None or (isinstance(value, str) and len(value) <= TEXT_LIMIT and "\0" not in value)


def _is_id_number(value: Any) -> bool:  # noqa: ANN401
    return type(value) is int and -_ID_LIMIT <= value <= _ID_LIMIT


def _key(column: Column) -> Field:
    def accepts(value: Any) -> bool:  # noqa: ANN401
        if isinstance(value, str):
            return _is_text(value) and word_value(value, lower=False) is not None
        return _is_id_number(value)

    return Field(
        name=column.name,
        accepts=accepts,
        expected=f"the application's id: text of 1 to {TEXT_LIMIT} characters, or a whole number",
        required=True,
        schema={
            "type": ["string", "integer"],
            "maxLength": TEXT_LIMIT,
            "pattern": r"^[^\u0000]*[^\u0000\s\u00a0\u2007\u202f\ufeff][^\u0000]*$",
            **_ID_SCHEMA,
        },
    )


def _time(column: Column, formats: tuple[str, ...]) -> Field:
    def accepts(value: Any) -> bool:  # noqa: ANN401
        if value is None:
            return True
        if not isinstance(value, str) or len(value) > TEXT_LIMIT:
            return False
        word = word_value(value, lower=False)
        return word is None or any(_is_time(word, form) for form in formats)

    return Field(
        name=column.name,
        accepts=accepts,
        expected=f"text such as {datetime(2015, 3, 31, 14, 5).strftime(formats[0])}, or null",  # noqa: DTZ001
        schema={"type": ["string", "null"], "examples": [datetime(2015, 3, 31, 14, 5).strftime(formats[0])]},  # noqa: DTZ001
    )


def _is_time(word: str, form: str) -> bool:
    try:
        datetime.strptime(word, form)  # noqa: DTZ007  (only whether it can be read)
    except ValueError:
        return False
    return True


def _number(column: Column) -> Field:
    low = -_LARGEST if column.minimum is None else column.minimum
    high = _LARGEST if column.maximum is None else column.maximum
    tenfold = (10 * low, 10 * high) if column.tenfold else None
    sentinels = frozenset(column.sentinels)
    as_text = column.stored_as == "text"

    def accepts(value: Any) -> bool:  # noqa: ANN401
        kind = type(value)
        if kind is float or kind is int:
            return (
                low <= value <= high
                or value in sentinels
                or (tenfold is not None and tenfold[0] <= value <= tenfold[1])
            )
        if value is None:
            return True
        if as_text and kind is str and len(value) <= TEXT_LIMIT:
            number = number_value(value)
            return word_value(value) is None if number is None else accepts(number)
        return False

    return Field(
        name=column.name,
        accepts=accepts,
        expected=_number_words(column, as_text=as_text),
        schema=_number_schema(column),
    )


def _number_words(column: Column, *, as_text: bool) -> str:
    if column.minimum is None and column.maximum is None:
        words = "a number"
    elif column.maximum is None:
        words = f"a number of at least {column.minimum:,g}"
    elif column.minimum is None:
        words = f"a number of at most {column.maximum:,g}"
    else:
        words = f"a number from {_shown(column.minimum)} to {_shown(column.maximum)}"
    return f"{words}{', or text that means one such as $1,234.50' if as_text else ''}, or null"


def _shown(value: float) -> str:
    return f"{int(value):,}" if math.isfinite(value) and value == int(value) else f"{value:g}"


def _number_schema(column: Column) -> dict[str, Any]:
    bounds = {k: v for k, v in (("minimum", column.minimum), ("maximum", column.maximum)) if v is not None}
    ways: list[dict[str, Any]] = [{"type": "number", **bounds}]
    if column.sentinels:
        ways.append({"enum": list(column.sentinels), "description": "means: not known"})
    if column.tenfold and column.minimum is not None and column.maximum is not None:
        ways.append(
            {
                "type": "number",
                "minimum": 10 * column.minimum,
                "maximum": 10 * column.maximum,
                "description": "recorded ten times too large; divided by ten",
            }
        )
    if column.stored_as == "text":
        ways.append({"type": "string", "pattern": r"^\$?[0-9]{1,6}(\.[0-9]{1,2})?$", "description": "a number in text"})
    return {"anyOf": [*ways, {"type": "null"}]}


def _computed(name: str) -> Field:
    return Field(
        name=name,
        accepts=lambda value: value is None or (type(value) in (int, float) and -_LARGEST <= value <= _LARGEST),
        expected="a number or null; it is computed anew",
        schema={"type": ["number", "null"], "description": "computed by the service; a value that is sent is not used"},
    )
