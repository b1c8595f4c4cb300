"""Errors of a FastAPI application in the one shape that all errors have."""

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from loanwatch.errors import shorten
from loanwatch.web.problem import INTERNAL_ERROR, FieldError, Problem

__all__ = ["add_problem_handlers", "problem_response", "request_id_of"]

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 409: "conflict"}


def add_problem_handlers(app: FastAPI, *, nowhere: str) -> None:
    """Have an application answer what goes wrong in the shape of `Problem`.

    Parameters
    ----------
    nowhere : str
        What is said of an address that nothing stands at.
    """
    told = {404: nowhere, 405: "this address takes another method"}

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  (what it is registered for)
        status, said = error.status_code, str(error.detail)
        message = told.get(status, said) if said == HTTPStatus(status).phrase else said
        return problem_response(
            request, Problem(status, _CODES.get(status, "http_error"), message, headers=error.headers)
        )

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, _not_as_expected)
    app.add_exception_handler(Exception, _fault)


def problem_response(request: Request, problem: Problem) -> Response:
    """Return the answer that tells of a problem."""
    return JSONResponse(problem.to_dict(request_id_of(request)), problem.status, problem.headers)


def request_id_of(request: Request) -> str:
    """Return the id that the service around the application gave the request."""
    return str(getattr(request.state, "request_id", ""))


def _not_as_expected(request: Request, error: Exception) -> Response:
    """Say what is wrong without saying what was sent, which may be no text at all."""
    wrong = error.errors() if isinstance(error, RequestValidationError) else ()
    errors = [
        FieldError(row=None, field=_sendable(".".join(map(str, one["loc"]))), expected=_sendable(one["msg"]))
        for one in wrong
    ]
    return problem_response(request, Problem(422, "invalid_input", "the request is not as expected", errors=errors))


def _sendable(text: str) -> str:
    return shorten(text.encode(errors="replace").decode(), 200)


def _fault(request: Request, error: Exception) -> Response:  # noqa: ARG001  (it is logged where it is raised to)
    return problem_response(request, INTERNAL_ERROR)
