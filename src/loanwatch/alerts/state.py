"""The life of an alert: open, acknowledged, resolved; muted for a time. Triggers keep every change."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from loanwatch.alerts.severities import check_severity
from loanwatch.database import sql
from loanwatch.errors import LoanwatchError
from loanwatch.records import record

__all__ = ["Alert", "Change", "acknowledge", "changes_of", "find_alert", "list_alerts", "mute", "resolve", "unmute"]


@record
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
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    muted_until: datetime | None
    escalation_level: int
    occurrences: int
    last_seen_at: datetime | None
    well_windows: int
    message: str | None
    details: Mapping[str, Any] | None = field(repr=False)
    run_id: int | None
    model: str | None
    version: int | None
    is_muted: bool


@record
class Change:
    """A row of `alert_change`: who changed an alert, when and why."""

    id: int
    alert_id: int
    kind: str
    actor: str
    reason: str
    severity: str
    at: datetime


def list_alerts(
    connection: Connection[Any],
    *,
    unresolved: bool = True,
    limit: int = 200,
    severity: str | None = None,
    model: str | None = None,
    event: str | None = None,
) -> list[Alert]:
    """Return alerts, newest first.

    Parameters
    ----------
    unresolved : bool
        Leave out what was resolved.
    limit : int
        How many at most.
    severity, model, event : str, optional
        Only alerts of this severity, of this model's versions, of this event.

    Raises
    ------
    LoanwatchError
        If there is no such severity.
    """
    if severity is not None:
        check_severity(severity)
    wanted = {"id": None, "unresolved": unresolved, "severity": severity, "model": model, "event": event}
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(sql("alert_select"), {**wanted, "limit": limit}).fetchall()


def find_alert(connection: Connection[Any], alert_id: int) -> Alert:
    """Return one alert.

    Raises
    ------
    LoanwatchError
        If there is no such alert.
    """
    wanted = {"id": alert_id, "unresolved": False, "severity": None, "model": None, "event": None, "limit": 1}
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        found = cursor.execute(sql("alert_select"), wanted).fetchone()
    if found is None:
        raise LoanwatchError(f"there is no alert {alert_id}: `loanwatch alerts list --all` shows every alert")
    return found


def changes_of(connection: Connection[Any], alert_id: int) -> list[Change]:
    """Return everything that happened to an alert, oldest first."""
    with connection.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute(sql("alert_change_select"), {"alert_id": alert_id}).fetchall()


def acknowledge(connection: Connection[Any], alert_id: int, *, actor: str, note: str | None = None) -> None:
    """Record that somebody looks after an open alert; it is not escalated any more.

    Raises
    ------
    LoanwatchError
        If no open alert has this id.
    """
    values = {"id": alert_id, "actor": actor, "note": note}
    if connection.execute(sql("alert_acknowledge"), values).fetchone() is None:
        raise LoanwatchError(_why_not(find_alert(connection, alert_id)))


def resolve(connection: Connection[Any], alert_id: int, *, actor: str | None = None, reason: str | None = None) -> None:
    """Record that an alert's cause is gone.

    Parameters
    ----------
    actor : str, optional
        Who says so; by default the database's user.
    reason : str, optional
        Why.

    Raises
    ------
    LoanwatchError
        If no unresolved alert has this id.
    """
    values = {"id": alert_id, "actor": actor, "reason": reason}
    if connection.execute(sql("alert_resolve"), values).fetchone() is None:
        raise LoanwatchError(_why_not(find_alert(connection, alert_id)))


def mute(
    connection: Connection[Any], alert_id: int, *, span: timedelta, actor: str, reason: str | None = None
) -> datetime:
    """Tell nobody of an alert for a time, nor of its like; returns when that ends.

    Whatever happens meanwhile is kept. If the alert is unresolved when the time is over, that is told.

    Raises
    ------
    LoanwatchError
        If no unresolved alert has this id, or the span is not positive or exceeds a year.
    """
    if not timedelta(0) < span <= timedelta(days=366):
        raise LoanwatchError("an alert can be muted for at least a second and at most a year; a rule can be disabled")
    values = {"id": alert_id, "span": span, "actor": actor, "reason": reason}
    found = connection.execute(sql("alert_mute"), values).fetchone()
    if found is None:
        raise LoanwatchError(_why_not(find_alert(connection, alert_id)))
    until: datetime = found[0]
    return until


def unmute(connection: Connection[Any], alert_id: int, *, actor: str) -> None:
    """End the muting of an alert before its time.

    Raises
    ------
    LoanwatchError
        If no muted alert has this id.
    """
    if connection.execute(sql("alert_unmute"), {"id": alert_id, "actor": actor}).fetchone() is None:
        alert = find_alert(connection, alert_id)
        raise LoanwatchError(_why_not(alert) if alert.status == "resolved" else f"alert {alert_id} is not muted")


def _why_not(alert: Alert) -> str:
    """Return why a change did not come about: somebody made it before, or ended the alert."""
    done, by, at = (
        ("resolved", alert.resolved_by, alert.resolved_at)
        if alert.status == "resolved"
        else (alert.status, alert.acknowledged_by, alert.acknowledged_at)
    )
    words = f"alert {alert.id} was already {done}" + (f" by {by}" if by else "")
    return words + (f" at {at:%Y-%m-%d %H:%M} UTC" if at else "")
