"""`alerts list|ack|resolve`."""

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from loanwatch.cli.context import AsJson, shared

__all__ = ["register"]

AlertId = Annotated[int, typer.Argument(help="Number of the alert, as `alerts list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    alerts = typer.Typer(help="What is wrong: list, acknowledge, resolve.", no_args_is_help=True)
    alerts.command("list")(list_)
    alerts.command("ack")(acknowledge)
    alerts.command("resolve")(resolve)
    app.add_typer(alerts, name="alerts")


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were resolved.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the alerts that nobody resolved, newest first."""
    from loanwatch.alerts import list_alerts
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = list_alerts(connection, unresolved=not all_, limit=limit)
    here.show([asdict(a) for a in found], lambda: _table(found) if found else "no open alerts", as_json=as_json)


def acknowledge(
    context: typer.Context,
    alert: AlertId,
    by: Annotated[str | None, typer.Option(help="Who looks after it.", show_default="your login")] = None,
) -> None:
    """Say that somebody looks after an alert."""
    from loanwatch.alerts import acknowledge as acknowledge_alert
    from loanwatch.database import open_database

    here = shared(context)
    actor = by or getpass.getuser()
    with open_database(here.settings).connect() as connection:
        acknowledge_alert(connection, alert, actor=actor)
    here.out.print(f"alert {alert} acknowledged by {actor}", highlight=False)


def resolve(context: typer.Context, alert: AlertId) -> None:
    """Say that an alert's cause is gone."""
    from loanwatch.alerts import resolve as resolve_alert
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        resolve_alert(connection, alert)
    here.out.print(f"alert {alert} resolved", highlight=False)


def _table(alerts: list[Any]) -> Table:
    table = Table("id", "severity", "status", "what", "since", "times", "message", box=None, pad_edge=False)
    for a in alerts:
        what = a.event or f"{a.metric} {a.condition} {a.threshold:g}"
        table.add_row(
            str(a.id),
            a.severity,
            a.status,
            what,
            f"{a.triggered_at:%Y-%m-%d %H:%M}",
            str(a.occurrences),
            Text(a.message or ""),
        )
    return table
