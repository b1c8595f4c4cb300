"""Events of the pipeline as alerts: one for a cause, each window counted and told once, closed when well again."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from loanwatch.alerts.events import NOTICES, Event
from loanwatch.database import sql
from loanwatch.monitoring import Severity

__all__ = ["cause_of", "close_notices", "open_alert", "report_well", "was_told"]

_DRIFT = frozenset({Event.DATA_DRIFT, Event.CONCEPT_DRIFT, Event.MODEL_DRIFT})
_DRIFT_WELL_WINDOWS = 2  # one well window alone may be luck; a window that is fit to use is fit to use


def cause_of(scope: str, event: Event, *, window: str | None = None, alone: bool = False) -> str:
    """Return the key under which an event is one alert.

    Parameters
    ----------
    scope : str
        What it is about: the contract, or a channel.
    event : Event
        A condition (drift, a broken feed) is one alert while it lasts; a notice or a run that failed is one for each
        window, because each asks for something of its own.
    window : str, optional
        The window of such an event.
    alone : bool
        Make a condition one alert for each window too: one of the past neither adds to what is so now nor ends it.

    >>> cause_of("loans", Event.DATA_DRIFT, window="2015-02")
    'loans/data_drift'
    >>> cause_of("loans", Event.PROMOTED, window="2015-02")
    'loans/promoted/2015-02'
    >>> cause_of("loans", Event.HALTED, window="2014-11", alone=True)
    'loans/halted/2014-11'
    """
    by_window = alone or event.is_notice or event is Event.RUN_FAILED
    return "/".join([scope, event.value, *([window] if window and by_window else [])])


def open_alert(
    connection: Connection[Any],
    *,
    event: Event,
    severity: Severity,
    message: str,
    run_id: int | None = None,
    model_id: int | None = None,
    dedup_key: str | None = None,
    window: str | None = None,
    details: Mapping[str, Any] | None = None,
    close_after: int | None = None,
    is_news: bool = True,
) -> int:
    """Open an alert in the caller's transaction and return its id.

    While an alert with the same `dedup_key` is unresolved, the repeat is counted there instead.

    Parameters
    ----------
    dedup_key : str, optional
        The cause, see `cause_of`; without it every call opens an alert of its own.
    window : str, optional
        The window in which it was seen. A window that was told before, under the same cause, is not told again.
    close_after : int, optional
        Well windows in a row that close the alert, see `report_well`; 0 leaves that to people. By default 2 for
        drift, 0 for notices, else 1.
    is_news : bool
        False counts a repeat without telling anybody: the cause is known, and nothing about it changed.
    """
    if close_after is None:
        close_after = 0 if event.is_notice else _DRIFT_WELL_WINDOWS if event in _DRIFT else 1
    values = {
        "event": event.value,
        "severity": severity.word,
        "message": _storable(message),
        "details": Jsonb({**(details or {}), **({"window": window} if window else {})}, dumps=_dumps),
        "run_id": run_id,
        "model_id": model_id,
        "dedup_key": dedup_key,
        "close_after": close_after,
        "window": window,
        "is_news": is_news,
    }
    with connection.cursor(row_factory=scalar_row) as cursor:
        alert_id: int | None = cursor.execute(sql("alert_open"), values).fetchone()
        assert alert_id is not None  # noqa: S101  (both branches of the statement return the row)
        if dedup_key and window:
            cursor.execute(sql("alert_window_insert"), {**values, "alert_id": alert_id})
            is_new = cursor.rowcount == 1
            statement = "alert_window_repeated" if is_new else "alert_window_silence"
            cursor.execute(sql(statement), {**values, "alert_id": alert_id})
    return alert_id


def was_told(connection: Connection[Any], *, dedup_key: str, window: str) -> bool:
    """Return whether the cause was told of the window before."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return bool(cursor.execute(sql("alert_window_known"), {"dedup_key": dedup_key, "window": window}).fetchone())


def report_well(connection: Connection[Any], *, dedup_key: str, window: str, reason: str | None = None) -> None:
    """Count a window in which the cause was not seen; enough of them in a row close its alert.

    A window counts once, and does nothing where no alert of the cause is unresolved.

    Parameters
    ----------
    reason : str, optional
        Why it is closed, if it is; by default the number of well windows.
    """
    connection.execute(sql("alert_well"), {"dedup_key": dedup_key, "window": window, "reason": reason})


def close_notices(connection: Connection[Any], *, scope: str, before: datetime) -> None:
    """Close the news (retrained, promoted, rejected, rolled back) of a contract that is older than its newest run.

    Parameters
    ----------
    scope : str
        Name of the contract, which its models bear too.
    before : datetime
        When the run began; what was told since stays.
    """
    connection.execute(sql("alert_notices_close_of"), {"notices": NOTICES, "scope": scope, "before": before})


def _storable(text: str) -> str:
    """Return text without what PostgreSQL cannot hold: an alert must not be lost because of a word in it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _dumps(values: Mapping[str, Any]) -> str:
    return json.dumps(json.loads(_storable(json.dumps(values, default=str).replace("\\u0000", ""))))
