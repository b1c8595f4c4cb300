"""What a client is told when a request cannot be answered: one JSON shape for every error."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from loanwatch.records import record

__all__ = ["ERROR_LIMIT", "INTERNAL_ERROR", "FieldError", "Problem", "away", "busy"]

ERROR_LIMIT = 20
"""At most this many errors are listed in one answer."""


@record
class FieldError:
    """One value that is not what it should be."""

    row: int | None
    """Position of the application in the list, from 0; None where the error is not in one."""
    field: str | None
    expected: str

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {"row": self.row, "field": self.field, "expected": self.expected}


class Problem(Exception):  # noqa: N818  (it is an answer, not a fault of the program)
    """The request cannot be answered.

    Parameters
    ----------
    status : int
        HTTP status, 400 or above.
    code : str
        A word for programs.
    message : str
        One sentence for people.
    errors : sequence of FieldError
        What is wrong in the body; the first 20 are told.
    headers : mapping
        Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = tuple(errors)[:ERROR_LIMIT]
        self.headers = dict(headers or {})

    def to_dict(self, request_id: str) -> dict[str, Any]:
        """Return the body of the answer."""
        return {
            "error": self.code,
            "message": self.message,
            "errors": [error.to_dict() for error in self.errors],
            "request_id": request_id,
        }

    def body(self, request_id: str) -> bytes:
        """Return the body of the answer as JSON."""
        return to_json(self.to_dict(request_id))


INTERNAL_ERROR = Problem(500, "internal_error", "something went wrong here; the request id finds it in the log")
"""Says nothing of its cause, which may name an applicant."""


def busy() -> Problem:
    """Return what a client is told that should come back in a moment."""
    return Problem(503, "busy", "too many requests at once: try again", headers={"Retry-After": "1"})


def away() -> Problem:
    """Return what a client is told while the database does not answer."""
    message = "the database cannot be reached at the moment"
    return Problem(503, "database_away", message, headers={"Retry-After": "5"})
