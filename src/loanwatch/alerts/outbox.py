"""The outbox: what is owed to whom, written by transactions, claimed by dispatchers, never forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.types.json import Jsonb

from loanwatch.alerts.events import Event
from loanwatch.alerts.messages import Message, compose, digest
from loanwatch.alerts.occurrences import cause_of, open_alert, report_well
from loanwatch.alerts.routing import held_until, is_wanted
from loanwatch.alerts.transport import Delivery, DeliveryError, Receipt
from loanwatch.channel_settings import Channel
from loanwatch.database import sql
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity
from loanwatch.records import record

__all__ = [
    "LOCK_CLASS",
    "OutboxRow",
    "claim",
    "enqueue",
    "list_deliveries",
    "put_off",
    "redeliver",
    "release_held",
    "route",
    "settle_delivered",
    "settle_failed",
]

LOCK_CLASS = 0x6C6F6174
"""Class of the advisory locks that living dispatchers hold; the number is the dispatcher's."""

_ROUTE_BATCH = 500
_WELL_DELIVERIES = 3  # a channel may take one message and refuse the next


@record
class OutboxRow:
    """A delivery, as lists show it."""

    id: int
    alert_id: int | None
    channel: str
    status: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    last_error: str | None
    possible_repeat: bool
    title: str | None


def route(connection: Connection[Any], channels: Mapping[str, Channel], *, public_url: str | None) -> int:
    """Write the deliveries that changes of alerts owe, in one transaction; returns how many changes were routed.

    Zero means that there are none or that another dispatcher is at it.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        locked = cursor.execute(sql("outbox_route_lock")).fetchone()
        if not locked or not next(iter(locked.values())):
            return 0
        changes = cursor.execute(sql("alert_change_unrouted"), {"limit": _ROUTE_BATCH}).fetchall()
        owed = [
            _owed(change, name, channel, compose(change, public_url=public_url))
            for change in changes
            for name, channel in channels.items()
            if is_wanted(channel, name, change)
        ]
        if owed:
            cursor.executemany(sql("outbox_insert"), owed)
        if changes:
            cursor.execute(sql("alert_change_routed"), {"ids": [change["id"] for change in changes]})
    return len(changes)


def enqueue(connection: Connection[Any], channel: str, message: Message) -> int:
    """Owe a channel a message of its own; returns the delivery's id."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        values = {"channel": channel, "payload": Jsonb(message.to_dict())}
        delivery_id: int = cursor.execute(sql("outbox_digest_insert"), values).fetchone()  # type: ignore[assignment]
    return delivery_id


def claim(connection: Connection[Any], channel: str, *, dispatcher: int, lease_seconds: float) -> Delivery | None:
    """Take the next delivery that is due on a channel, or None; committed at once on an autocommit connection."""
    values = {
        "channel": channel,
        "dispatcher": dispatcher,
        "lease_seconds": lease_seconds,
        "lock_class": LOCK_CLASS,
    }
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(sql("outbox_claim"), values).fetchone()


def settle_delivered(connection: Connection[Any], delivery: Delivery, *, dispatcher: int, receipt: Receipt) -> bool:
    """Record that a delivery arrived; False if the claim was lost meanwhile."""
    values = {**_of(delivery, dispatcher), "receipt": Jsonb(dict(receipt))}
    with connection.transaction():
        settled = connection.execute(sql("outbox_delivered"), values).fetchone() is not None
        cause = cause_of(f"channel {delivery.channel}", Event.DELIVERY_FAILED)
        report_well(connection, dedup_key=cause, window=f"delivery {delivery.id}")
    return settled


def put_off(
    connection: Connection[Any],
    delivery: Delivery,
    *,
    dispatcher: int,
    delay_seconds: float,
    outcome_unknown: bool,
    error: str,
) -> bool:
    """Have a delivery tried again later; False if the claim was lost meanwhile."""
    values = {
        **_of(delivery, dispatcher),
        "delay_seconds": delay_seconds,
        "outcome_unknown": outcome_unknown,
        "error": error,
    }
    return connection.execute(sql("outbox_retry"), values).fetchone() is not None


def settle_failed(
    connection: Connection[Any], delivery: Delivery, *, dispatcher: int, outcome_unknown: bool, error: DeliveryError
) -> bool:
    """Give a delivery up and open an alert about its channel, in one transaction; False if the claim was lost.

    A delivery that tells of a channel's failure opens no other alert, so that two broken channels cannot keep each
    other busy.
    """
    values = {**_of(delivery, dispatcher), "outcome_unknown": outcome_unknown, "error": str(error)}
    with connection.transaction():
        if connection.execute(sql("outbox_failed"), values).fetchone() is None:
            return False
        if delivery.event != Event.DELIVERY_FAILED:
            open_alert(
                connection,
                event=Event.DELIVERY_FAILED,
                severity=Severity.HIGH,
                message=f"The channel {delivery.channel} refused delivery {delivery.id}: {error}",
                dedup_key=cause_of(f"channel {delivery.channel}", Event.DELIVERY_FAILED),
                details={"channel": delivery.channel, "delivery": delivery.id},
                close_after=_WELL_DELIVERIES,
            )
    return True


def release_held(connection: Connection[Any], channel: str) -> int:
    """Send what quiet hours or a digest held back on a channel, as one message; returns how many it stands for."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        held = cursor.execute(sql("outbox_held_due"), {"channel": channel}).fetchall()
        ids = [row["id"] for row in held]
        if len(held) == 1:
            cursor.execute(sql("outbox_held_release"), {"ids": ids})
        elif held:
            digest_id = enqueue(connection, channel, _digest_of([Message.from_dict(row["payload"]) for row in held]))
            cursor.execute(sql("outbox_digested"), {"ids": ids, "digest_id": digest_id})
    return len(held)


def list_deliveries(
    connection: Connection[Any], *, status: str | None = None, channel: str | None = None, limit: int = 100
) -> list[OutboxRow]:
    """Return deliveries, newest first; with `status="failed"` the dead letters."""
    with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        values = {"status": status, "channel": channel, "limit": limit}
        return cursor.execute(sql("outbox_select"), values).fetchall()


def redeliver(connection: Connection[Any], *, delivery_id: int | None = None, channel: str | None = None) -> int:
    """Have dead letters tried again: one, those of a channel, or all; returns how many.

    Raises
    ------
    LoanwatchError
        If a delivery was named that is no dead letter.
    """
    found = connection.execute(sql("outbox_redeliver"), {"id": delivery_id, "channel": channel}).fetchall()
    if delivery_id is not None and not found:
        raise LoanwatchError(f"delivery {delivery_id} is no dead letter: `loanwatch alerts deliveries` shows them")
    return len(found)


def _owed(change: Mapping[str, Any], name: str, channel: Channel, message: Message) -> dict[str, Any]:
    due_at = held_until(channel, change["severity"], change["now"])
    stale = change["is_stale"]
    return {
        "alert_id": change["alert_id"],
        "change_id": change["id"],
        "channel": name,
        "payload": Jsonb(message.to_dict()),
        "status": "skipped" if stale else "held" if due_at else "pending",
        "due_at": due_at,
        "note": "resolved more than a day before a channel could be told" if stale else None,
    }


def _of(delivery: Delivery, dispatcher: int) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "dispatcher": dispatcher,
        "attempts": delivery.attempts,
        "possible_repeat": delivery.possible_repeat,
    }


def _digest_of(messages: Sequence[Message]) -> Message:
    lines = [f"{m.occurred_at} · {m.severity} · {m.title} · {m.what}" for m in messages]
    severity = max((Severity.from_word(m.severity) for m in messages), default=Severity.LOW)
    return digest(lines, total=len(messages), severity=severity.word)
