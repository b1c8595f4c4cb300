"""What time alone brings about: escalation, the end of muting, old notices, windows that did not come, digests."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from loanwatch.alerts.events import NOTICES, Event
from loanwatch.alerts.occurrences import cause_of, open_alert
from loanwatch.alerts.outbox import release_held
from loanwatch.channel_settings import AlertingSettings
from loanwatch.database import sql
from loanwatch.monitoring import Severity

__all__ = ["sweep"]


def sweep(connection: Connection[Any], settings: AlertingSettings, channels: Iterable[str]) -> None:
    """Do what is due by the clock; every part is one transaction and safe beside another dispatcher."""
    for severity, minutes in settings.escalate_after_minutes.items():
        values = {
            "severity": severity,
            "seconds": minutes * 60,
            "maximum": settings.maximum_escalations,
            "notices": NOTICES,
        }
        connection.execute(sql("alert_escalate"), values)
    connection.execute(sql("alert_unmute_due"))
    seconds = settings.notices_close_after_days * 86_400
    connection.execute(sql("alert_notices_close"), {"notices": NOTICES, "seconds": seconds})
    tell_of_missing_windows(connection, settings)
    for channel in channels:
        release_held(connection, channel)


def tell_of_missing_windows(connection: Connection[Any], settings: AlertingSettings) -> None:
    """Open an alert for each contract whose next window is overdue: told once for each last run."""
    hours = settings.no_data_after_hours
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        overdue = cursor.execute(sql("alert_run_overdue"), {"seconds": hours * 3600 if hours else None}).fetchall()
        for run in overdue:
            open_alert(
                connection,
                event=Event.NO_DATA,
                severity=Severity.HIGH,
                message=f"{run['contract']}: no window was finished since run {run['id']} ended on "
                f"{run['finished_at']:%Y-%m-%d %H:%M} UTC (its window ended {run['window_end']:%Y-%m-%d}); "
                f"another was due within {_words(run['patience'])}.",
                dedup_key=cause_of(run["contract"], Event.NO_DATA),
                window=f"after run {run['id']}",
            )


def _words(patience: timedelta) -> str:
    hours = patience.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
