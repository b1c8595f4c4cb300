"""`alerts list|show|ack|resolve|mute|unmute|deliveries|redeliver|test`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loanwatch.cli.context import AsJson, actor_name, parse_span, shared
from loanwatch.cli.listing import Card, Listing
from loanwatch.errors import LoanwatchError

if TYPE_CHECKING:
    from loanwatch.alerts import Alert, Change
    from loanwatch.alerts.outbox import OutboxRow

__all__ = ["register"]

AlertId = Annotated[int, typer.Argument(help="Number of the alert, as `alerts list` shows it.")]
By = Annotated[str | None, typer.Option(help="Who says so.", show_default="your login")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    alerts = typer.Typer(help="What is wrong: list, acknowledge, resolve, mute; what was told.", no_args_is_help=True)
    for name, command in (
        ("list", list_),
        ("show", show),
        ("ack", acknowledge),
        ("resolve", resolve),
        ("mute", mute),
        ("unmute", unmute),
        ("deliveries", deliveries),
        ("redeliver", redeliver),
        ("test", send_test),
    ):
        alerts.command(name)(command)
    app.add_typer(alerts, name="alerts")


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were resolved.")] = False,
    severity: Annotated[str | None, typer.Option(help="Only low, medium, high or critical ones.")] = None,
    model: Annotated[str | None, typer.Option(help="Only those of this model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the alerts that nobody resolved, newest first."""
    from loanwatch.alerts import list_alerts
    from loanwatch.database import open_database
    from loanwatch.registry import versions

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = list_alerts(connection, unresolved=not all_, severity=severity, model=model, limit=limit)
        if model is not None and not found and not versions(connection, model):
            raise LoanwatchError(f"there is no model {model!r}")
    here.show([asdict(a) for a in found], lambda: _listing(found) if found else "no open alerts", as_json=as_json)


def show(context: typer.Context, alert: AlertId, as_json: AsJson = False) -> None:
    """Show one alert and everything that happened to it."""
    from loanwatch.alerts import changes_of, find_alert
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = find_alert(connection, alert)
        changes = changes_of(connection, alert)
    values = {**asdict(found), "changes": [asdict(change) for change in changes]}
    here.show(values, lambda: _card(found, changes), as_json=as_json)


def acknowledge(
    context: typer.Context,
    alert: AlertId,
    by: By = None,
    note: Annotated[str | None, typer.Option(help="What you are doing about it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody looks after an alert; it is not escalated any more."""
    from loanwatch.alerts import acknowledge as acknowledge_alert

    actor = by or actor_name()
    _change(
        context,
        alert,
        lambda connection: acknowledge_alert(connection, alert, actor=actor, note=note),
        f"alert {alert} acknowledged by {actor}",
        as_json=as_json,
    )


def resolve(
    context: typer.Context,
    alert: AlertId,
    by: By = None,
    note: Annotated[str | None, typer.Option(help="Why it is settled.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that an alert's cause is gone."""
    from loanwatch.alerts import resolve as resolve_alert

    _change(
        context,
        alert,
        lambda connection: resolve_alert(connection, alert, actor=by or actor_name(), reason=note),
        f"alert {alert} resolved",
        as_json=as_json,
    )


def mute(
    context: typer.Context,
    alert: AlertId,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 8h, 2d.")],
    by: By = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of an alert for a time; if it is still there afterwards, that is told."""
    from loanwatch.alerts import mute as mute_alert

    span = parse_span(for_, option="--for")
    _change(
        context,
        alert,
        lambda connection: mute_alert(connection, alert, span=span, actor=by or actor_name(), reason=note),
        f"alert {alert} muted for {for_}",
        as_json=as_json,
    )


def unmute(context: typer.Context, alert: AlertId, by: By = None, as_json: AsJson = False) -> None:
    """End the muting of an alert before its time."""
    from loanwatch.alerts import unmute as unmute_alert

    _change(
        context,
        alert,
        lambda connection: unmute_alert(connection, alert, actor=by or actor_name()),
        f"alert {alert} is heard again",
        as_json=as_json,
    )


def deliveries(
    context: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only dead letters: those that were given up.")] = False,
    channel: Annotated[str | None, typer.Option(help="Only this channel's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was told where, and what could not be."""
    from loanwatch.alerts.channels import find_channel
    from loanwatch.alerts.outbox import list_deliveries
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = list_deliveries(connection, status="failed" if failed else None, channel=channel, limit=limit)
    if channel is not None and not found:  # one that was taken out of the settings may still have deliveries
        find_channel(here.settings, channel)
    here.show([asdict(row) for row in found], lambda: _deliveries(found) if found else "none", as_json=as_json)


def redeliver(
    context: typer.Context,
    delivery: Annotated[int | None, typer.Argument(help="One dead letter, by its number.")] = None,
    channel: Annotated[str | None, typer.Option(help="All dead letters of this channel.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have dead letters tried again."""
    from loanwatch.alerts.channels import find_channel
    from loanwatch.alerts.outbox import redeliver as redeliver_letters
    from loanwatch.database import open_database

    if sum((delivery is not None, channel is not None, all_)) != 1:
        raise LoanwatchError("name one delivery, or --channel, or --all")
    here = shared(context)
    with open_database(here.settings).connect() as connection:
        count = redeliver_letters(connection, delivery_id=delivery, channel=channel)
    if channel is not None and not count:
        find_channel(here.settings, channel)
    here.show({"redelivered": count}, f"{count} deliveries will be tried again", as_json=as_json)


def send_test(
    context: typer.Context,
    channel: Annotated[str, typer.Option(help="Name of the channel, as in the settings.")],
    as_json: AsJson = False,
) -> None:
    """Send a test message to a channel at once, and say what came of it."""
    from loanwatch.alerts import trial

    here = shared(context)
    receipt = trial.send_test(here.settings, channel, actor=actor_name())
    here.show({"channel": channel, "receipt": dict(receipt)}, f"{channel} took a test message", as_json=as_json)


def _change(context: typer.Context, alert: int, change: Any, text: str, *, as_json: bool) -> None:  # noqa: ANN401
    from loanwatch.alerts import find_alert
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        change(connection)
        changed = find_alert(connection, alert)
    here.show(asdict(changed), text, as_json=as_json)


def _listing(alerts: "list[Alert]") -> Listing:
    return Listing(
        headings=("id", "severity", "status", "model", "what", "since", "times"),
        rows=[
            (
                str(a.id),
                a.severity,
                "muted" if a.is_muted else a.status,
                _model(a),
                _what(a),
                f"{a.triggered_at:%Y-%m-%d %H:%M}",
                str(a.occurrences) if a.occurrences > 1 else "",
            )
            for a in alerts
        ],
        text_heading="message",
        texts=[a.message or "" for a in alerts],
    )


def _model(alert: "Alert") -> str:
    return f"{alert.model} v{alert.version}" if alert.model else "–"


def _what(alert: "Alert") -> str:
    if alert.event or alert.threshold is None:
        return alert.event or "rule (deleted)"
    return f"{alert.metric} {alert.condition} {alert.threshold:g}"


def _card(alert: "Alert", changes: "list[Change]") -> Card:
    pairs = [
        ("alert", str(alert.id)),
        ("what", _what(alert)),
        ("message", alert.message or ""),
        ("severity", alert.severity),
        ("status", alert.status),
        ("model", _model(alert)),
        ("times seen", str(alert.occurrences)),
        ("last seen", f"{alert.last_seen_at:%Y-%m-%d %H:%M}" if alert.last_seen_at else "–"),
        ("well windows since", str(alert.well_windows)),
    ]
    for change in changes:
        words = f"{change.kind} by {change.actor}" + (f": {change.reason}" if change.reason else "")
        pairs.append((f"{change.at:%Y-%m-%d %H:%M:%S}", words))
    return Card(pairs=pairs)


def _deliveries(rows: "list[OutboxRow]") -> Listing:
    return Listing(
        headings=("id", "alert", "channel", "status", "tries", "since"),
        rows=[
            (
                str(row.id),
                str(row.alert_id or "–"),
                row.channel,
                row.status + (" (possibly twice)" if row.possible_repeat else ""),
                str(row.attempts),
                f"{row.created_at:%Y-%m-%d %H:%M}",
            )
            for row in rows
        ],
        text_heading="message, error",
        texts=[" – ".join(part for part in (row.title, row.last_error) if part) for row in rows],
    )
