"""The life of an alert: open, acknowledged, resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity

__all__ = ["Alert", "Event", "acknowledge", "list_alerts", "open_alert", "resolve"]


class Event(StrEnum):
    """What in the life of a run is worth telling somebody."""

    HALTED = "halted"
    DATA_DRIFT = "data_drift"
    CONCEPT_DRIFT = "concept_drift"
    MODEL_DRIFT = "model_drift"
    PROMOTED = "promoted"
    CHALLENGER_REJECTED = "challenger_rejected"
    ROLLED_BACK = "rolled_back"
    RUN_FAILED = "run_failed"
    MODEL_UNUSABLE = "model_unusable"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A row of `alert`, with the rule and the model it belongs to."""

    id: int
    event: str | None
    metric: str | None
    condition: str | None
    threshold: float | None
    severity: str
    status: str
    triggered_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    occurrences: int
    last_seen_at: datetime | None
    message: str | None
    details: Mapping[str, Any] | None = field(repr=False)
    run_id: int | None
    model: str | None
    version: int | None


def open_alert(
    connection: Connection[Any],
    *,
    event: Event,
    severity: Severity,
    message: str,
    run_id: int | None = None,
    model_id: int | None = None,
    dedup_key: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Open an alert in the caller's transaction and return its id.

    While an alert with the same `dedup_key` is unresolved, the repeat is counted there instead.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute(
            sql("alert_open"),
            {
                "event": event.value,
                "severity": severity.word,
                "message": message,
                "details": Jsonb(dict(details or {})),
                "run_id": run_id,
                "model_id": model_id,
                "dedup_key": dedup_key,
            },
        )
        alert_id: int | None = cursor.fetchone()
    assert alert_id is not None  # noqa: S101  (both branches of the statement return the row)
    return alert_id


def list_alerts(connection: Connection[Any], *, unresolved: bool = True, limit: int = 200) -> list[Alert]:
    """Return alerts, newest first."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(sql("alert_select"), {"unresolved": unresolved, "limit": limit}).fetchall()


def acknowledge(connection: Connection[Any], alert_id: int, *, actor: str) -> None:
    """Record that somebody looks after an open alert.

    Raises
    ------
    LoanwatchError
        If no open alert has this id.
    """
    if connection.execute(sql("alert_acknowledge"), {"id": alert_id, "actor": actor}).fetchone() is None:
        raise LoanwatchError(f"alert {alert_id} is not open: `loanwatch alerts list --all` shows every alert")


def resolve(connection: Connection[Any], alert_id: int) -> None:
    """Record that an alert's cause is gone.

    Raises
    ------
    LoanwatchError
        If no unresolved alert has this id.
    """
    if connection.execute(sql("alert_resolve"), {"id": alert_id}).fetchone() is None:
        raise LoanwatchError(f"alert {alert_id} is not unresolved: `loanwatch alerts list --all` shows every alert")
