"""The alerts over HTTP: list, show, acknowledge, resolve, mute. A router to mount in any FastAPI application."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field

from loanwatch.alerts.outbox import list_deliveries
from loanwatch.alerts.rules import list_rules
from loanwatch.alerts.state import acknowledge, changes_of, find_alert, list_alerts, mute, resolve, unmute
from loanwatch.database import Database
from loanwatch.errors import LoanwatchError

__all__ = ["alerts_router"]

_Text = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$")]
"""What PostgreSQL can keep."""
_DeliveryStatus = Literal["held", "pending", "sending", "delivered", "failed", "digested", "skipped"]
_AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: _Text | None = None


class _Mute(_Words):
    hours: Annotated[float, Field(gt=0, le=8_784)]


def alerts_router(database: Database, *, actor: Callable[..., str]) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    database : Database
        With the monitoring schema; each request has a connection of its own.
    actor : callable
        A FastAPI dependency that lets the caller in and returns its name, which the history keeps; it raises
        `HTTPException` (401, 403, 429) for who must not come in.
    """

    def connection() -> Iterator[Connection[Any]]:
        with database.connect() as opened:
            yield opened

    Opened = Annotated[Connection[Any], Depends(connection)]  # noqa: N806  (a type)
    Actor = Annotated[str, Depends(actor)]  # noqa: N806
    router = APIRouter(tags=["alerts"], dependencies=[Depends(actor)])

    @router.get("/alerts")
    def list_(  # noqa: PLR0917  (FastAPI names them)
        opened: Opened,
        status: Literal["unresolved", "all"] = "unresolved",
        severity: Literal["low", "medium", "high", "critical"] | None = None,
        model: _Text | None = None,
        event: _Text | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[dict[str, Any]]:
        found = list_alerts(
            opened, unresolved=status != "all", severity=severity, model=model, event=event, limit=limit
        )
        return [asdict(alert) for alert in found]

    @router.get("/alerts/{alert_id}")
    def show(opened: Opened, alert_id: _AlertId) -> dict[str, Any]:
        alert = _found(lambda: find_alert(opened, alert_id))
        return {**asdict(alert), "changes": [asdict(change) for change in changes_of(opened, alert_id)]}

    @router.post("/alerts/{alert_id}/ack")
    def ack(opened: Opened, who: Actor, alert_id: _AlertId, words: _Words | None = None) -> dict[str, Any]:
        return _changed(opened, alert_id, lambda: acknowledge(opened, alert_id, actor=who, note=_note(words)))

    @router.post("/alerts/{alert_id}/resolve")
    def close(opened: Opened, who: Actor, alert_id: _AlertId, words: _Words | None = None) -> dict[str, Any]:
        return _changed(opened, alert_id, lambda: resolve(opened, alert_id, actor=who, reason=_note(words)))

    @router.post("/alerts/{alert_id}/mute")
    def silence(opened: Opened, who: Actor, alert_id: _AlertId, words: _Mute) -> dict[str, Any]:
        span = timedelta(hours=words.hours)
        return _changed(opened, alert_id, lambda: mute(opened, alert_id, span=span, actor=who, reason=words.note))

    @router.post("/alerts/{alert_id}/unmute")
    def listen(opened: Opened, who: Actor, alert_id: _AlertId) -> dict[str, Any]:
        return _changed(opened, alert_id, lambda: unmute(opened, alert_id, actor=who))

    @router.get("/alert-rules")
    def rules(opened: Opened) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in list_rules(opened)]

    @router.get("/alert-deliveries")
    def deliveries(
        opened: Opened, status: _DeliveryStatus | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
    ) -> list[dict[str, Any]]:
        return [asdict(row) for row in list_deliveries(opened, status=status, limit=limit)]

    return router


def _note(words: _Words | None) -> str | None:
    return words.note if words else None


def _found(work: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return work()
    except LoanwatchError as error:
        raise HTTPException(404, str(error)) from error


def _changed(opened: Connection[Any], alert_id: int, change: Callable[[], object]) -> dict[str, Any]:
    _found(lambda: find_alert(opened, alert_id))
    try:
        change()
    except LoanwatchError as error:
        raise HTTPException(409, str(error)) from error
    opened.commit()
    return asdict(find_alert(opened, alert_id))
