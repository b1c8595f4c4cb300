"""The page behind the links in messages: what an alert is, and a form to acknowledge it.

Nothing changes when it is opened, since whoever shows a preview of a link opens it too. What the alert says is shown
to holders of a token only, who send it in the body of the form: it stands in no address and in no log.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any
from urllib.parse import parse_qs

import psycopg
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, Template
from psycopg import Connection

from loanwatch.alerts.events import guidance_of
from loanwatch.alerts.messages import title_of
from loanwatch.alerts.state import acknowledge, changes_of, find_alert
from loanwatch.database import Database
from loanwatch.errors import DatabaseError, LoanwatchError
from loanwatch.web.problem import Problem, away

__all__ = ["Caller", "page_router"]

Caller = Callable[[bytes], str]
"""Returns whose `Authorization` header it is; raises `Problem` if nobody's."""

_NOTE_LIMIT = 2_000
_AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Form = Mapping[str, str]


def page_router(database: Database, *, caller: Caller) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts/{alert_id}/page")
    def show(request: Request, alert_id: _AlertId) -> HTMLResponse:
        who: str | None = request.state.caller
        return _answered(alert_id, lambda: _seen(database, alert_id) if who else {}, known=who is not None)

    @router.post("/alerts/{alert_id}/page")
    def answer(request: Request, alert_id: _AlertId, form: Annotated[Form, Depends(_form)]) -> HTMLResponse:
        known: str | None = request.state.caller

        def work() -> Mapping[str, Any]:
            who = known or caller(b"Bearer " + form.get("token", "").strip().encode())
            if form.get("do") == "acknowledge":
                return _acknowledged(database, alert_id, who, form.get("note", "").strip())
            return _seen(database, alert_id)

        return _answered(alert_id, work, known=known is not None)

    return router


async def _form(request: Request) -> Form:
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[-1] for name, values in fields.items()}


def _seen(database: Database, alert_id: int) -> Mapping[str, Any]:
    with database.connect() as connection:
        return _shown(connection, alert_id)


def _acknowledged(database: Database, alert_id: int, who: str, note: str) -> Mapping[str, Any]:
    if len(note) > _NOTE_LIMIT or "\0" in note:
        raise Problem(422, "invalid_input", f"the note must have at most {_NOTE_LIMIT:,} characters")
    with database.connect() as connection:
        before = _shown(connection, alert_id)
        try:
            acknowledge(connection, alert_id, actor=who, note=note or None)
        except LoanwatchError as error:
            return {**before, "status": 409, "notice": str(error)}
        return {**_shown(connection, alert_id), "notice": f"Acknowledged by {who}."}


def _shown(connection: Connection[Any], alert_id: int) -> Mapping[str, Any]:
    try:
        alert = find_alert(connection, alert_id)
    except LoanwatchError as error:
        raise Problem(404, "not_found", str(error)) from error
    return {
        "alert": alert,
        "title": title_of(alert.event, alert.metric, alert.details),
        "guidance": guidance_of(alert.event),
        "changes": changes_of(connection, alert_id),
    }


def _answered(alert_id: int, work: Callable[[], Mapping[str, Any]], *, known: bool) -> HTMLResponse:
    """Return the page of what the work comes to, or of why it could not be done."""
    headers: Mapping[str, str] = {}
    try:
        values = work()
    except Problem as problem:
        values, headers = {"status": problem.status, "notice": _told(problem)}, problem.headers
    except (psycopg.OperationalError, DatabaseError):
        values, headers = {"status": 503, "notice": away().message}, away().headers
    html = _template().render(alert_id=alert_id, known=known, note_limit=_NOTE_LIMIT, **values)
    return HTMLResponse(html, status_code=values.get("status", 200), headers=dict(headers))


def _told(problem: Problem) -> str:
    return "This is no valid access token." if problem.status == 401 else problem.message


@cache
def _template() -> Template:
    source = (resources.files("loanwatch.alerts") / "page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source)
