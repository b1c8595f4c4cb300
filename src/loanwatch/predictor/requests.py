"""From the body of a request to applications that may be scored, or to what is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from loanwatch.contract import Contract
from loanwatch.errors import shorten
from loanwatch.features import word_value
from loanwatch.predictor.fields import fields_of
from loanwatch.web.problem import ERROR_LIMIT, FieldError, Problem

__all__ = ["RequestReader"]

Row = dict[str, Any]


class RequestReader:
    """Reads and checks the body of a request for predictions.

    Parameters
    ----------
    contract : Contract
        Says what an application looks like.
    max_rows : int
        Longer lists are refused.
    """

    def __init__(self, contract: Contract, *, max_rows: int) -> None:
        self.max_rows = max_rows
        self.fields = fields_of(contract)
        self._key = contract.keys.application
        self._names = frozenset(self.fields)
        self._required = tuple(field for field in self.fields.values() if field.required)
        self._accepts = {name: field.accepts for name, field in self.fields.items()}

    def read(self, body: bytes) -> list[Row]:
        """Return the applications of a body: a JSON list of objects, or `{"X": [...]}`.

        Raises
        ------
        Problem
            413 if there are too many of them, 422 if any of them, or the whole, is not as the contract says.
        """
        rows = self._rows(body)
        first = [error for _, error in zip(range(ERROR_LIMIT), self._errors(rows), strict=False)]
        if first:
            raise _invalid("the applications are not as expected; none was scored", first)
        return rows

    def _rows(self, body: bytes) -> list[Row]:
        try:
            # NaN and infinity are no JSON, but many clients send them: they are read so that their field can be named.
            document = from_json(body, allow_inf_nan=True, cache_strings="keys")
        except ValueError as error:
            expected = "JSON in UTF-8, nested no deeper than an application needs"
            raise _invalid(f"the body is not JSON: {shorten(error, 120)}", [_whole(expected)]) from error
        if isinstance(document, dict) and "X" in document:
            if extra := next((name for name in document if name != "X"), None):
                name = shorten(extra)
                raise _invalid(
                    "beside X there is another key", [FieldError(row=None, field=name, expected="nothing but X")]
                )
            document = document["X"]
        if not isinstance(document, list):
            raise _invalid("the body holds no list", [_whole('a list of applications, or {"X": a list}')])
        if not document:
            raise _invalid("the list is empty", [_whole("at least one application")])
        if len(document) > self.max_rows:
            raise Problem(
                413,
                "too_many_rows",
                f"{len(document):,} applications are too many for one request",
                errors=[_whole(f"at most {self.max_rows:,} applications")],
            )
        return document

    def _errors(self, rows: Sequence[Any]) -> Iterator[FieldError]:
        first_seen: dict[str, int] = {}
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                yield FieldError(row=number, field=None, expected="an application, which is a JSON object")
                continue
            yield from self._row_errors(number, row)
            key = row.get(self._key)
            if isinstance(key, str | int):
                text = str(key) if isinstance(key, int) else word_value(key, lower=False) or ""
                before = first_seen.setdefault(text, number)
                if before != number:
                    yield FieldError(
                        row=number, field=self._key, expected=f"an id of its own; row {before} has the same"
                    )

    def _row_errors(self, number: int, row: Mapping[str, Any]) -> Iterator[FieldError]:
        accepts = self._accepts
        for field in self._required:
            if field.name not in row:
                yield FieldError(row=number, field=field.name, expected=field.expected)
        for name, value in row.items():
            check = accepts.get(name)
            if check is None:
                yield FieldError(
                    row=number, field=shorten(name), expected="no such field: the fields are those of the contract"
                )
            elif not check(value):
                yield FieldError(row=number, field=name, expected=self.fields[name].expected)


def _invalid(message: str, errors: list[FieldError]) -> Problem:
    return Problem(422, "invalid_input", message, errors=errors)


def _whole(expected: str) -> FieldError:
    return FieldError(row=None, field=None, expected=expected)
