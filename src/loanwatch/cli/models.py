"""`models list|show|promote|rollback`: the registry."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loanwatch.cli.context import AsJson, actor_name, shared
from loanwatch.cli.listing import Card, Listing, words

if TYPE_CHECKING:
    from loanwatch.registry import ModelVersion

__all__ = ["register"]


def _version(text: str) -> int:
    number = text.removeprefix("v")
    if not number.isdecimal():
        raise typer.BadParameter(f"{text!r} is no version: give a number, as `models list` shows it")
    return int(number)


Version = Annotated[
    int, typer.Argument(help="Version number, as `models list` shows it.", parser=_version, metavar="VERSION")
]
Reason = Annotated[str, typer.Option(help="Why; kept in the journal.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    models = typer.Typer(help="Versions of the model: list, show, promote, roll back.", no_args_is_help=True)
    models.command("list")(list_models)
    models.command("show")(show)
    models.command("promote")(promote)
    models.command("rollback")(roll_back)
    app.add_typer(models, name="models")


def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the versions, newest first."""
    from loanwatch.database import open_database
    from loanwatch.registry import versions

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = versions(connection, here.settings.contract().name)
    here.show([asdict(v) for v in found], lambda: _listing(found) if found else "no models", as_json=as_json)


def show(context: typer.Context, version: Version, as_json: AsJson = False) -> None:
    """Show one version: training window, figures, parameters, deployments."""
    from loanwatch.database import open_database
    from loanwatch.registry import deployments, find_version

    here = shared(context)
    name = here.settings.contract().name
    with open_database(here.settings).connect() as connection:
        found = find_version(connection, name, version)
        journal = [asdict(d) for d in deployments(connection, name) if d.model_id == found.id]
    values = {**asdict(found), "deployments": journal}
    here.show(values, lambda: _card(values), as_json=as_json)


def promote(
    context: typer.Context, version: Version, reason: Reason = "promoted by hand", as_json: AsJson = False
) -> None:
    """Put a version online, whatever the comparison said."""
    from loanwatch.alerts import Event, create_default_rules, open_alert
    from loanwatch.database import open_database
    from loanwatch.monitoring import Severity
    from loanwatch.pipeline.bundle import load_model
    from loanwatch.registry import deploy, find_version, online_version
    from loanwatch.storage import open_storage

    here = shared(context)
    name = here.settings.contract().name
    with open_database(here.settings).connect() as connection:
        found = find_version(connection, name, version)
        load_model(open_storage(here.settings, "models"), found)  # its files are whole, or nothing is switched
        champion = online_version(connection, name)
        before = champion.title if champion else "nothing"
        deploy(
            connection, found, expected_champion_id=champion.id if champion else None, reason=reason, actor=actor_name()
        )
        create_default_rules(connection, name, here.settings.contract().policy)
        if champion is None or champion.id != found.id:
            open_alert(
                connection,
                event=Event.PROMOTED,
                severity=Severity.LOW,
                message=f"{found.title} was put online by {actor_name()} in place of {before}: {reason}",
                model_id=found.id,
            )
    here.show(
        {"online": found.title, "was_online": champion.title if champion else None},
        f"{found.title} is online; {before} was.",
        as_json=as_json,
    )


def roll_back(context: typer.Context, reason: Reason = "rolled back by hand", as_json: AsJson = False) -> None:
    """Put the version online again that was online before this one."""
    from loanwatch.alerts import Event, open_alert
    from loanwatch.database import open_database
    from loanwatch.monitoring import Severity
    from loanwatch.pipeline.bundle import load_model
    from loanwatch.registry import rollback
    from loanwatch.storage import open_storage

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        before, after = rollback(connection, here.settings.contract().name, reason=reason, actor=actor_name())
        load_model(open_storage(here.settings, "models"), after)  # its files are whole, or the transaction is undone
        open_alert(
            connection,
            event=Event.ROLLED_BACK,
            severity=Severity.LOW,
            message=f"{before.title} was rolled back to {after.title} by {actor_name()}: {reason}",
            model_id=after.id,
        )
    here.show(
        {"online": after.title, "was_online": before.title},
        f"{after.title} is online; {before.title} was.",
        as_json=as_json,
    )


def _listing(versions: "list[ModelVersion]") -> Listing:
    return Listing(
        headings=("version", "status", "algorithm", "hold-out AUC", "trained on", "deployed"),
        rows=[
            (
                str(v.version),
                v.status,
                str(v.metadata.get("algorithm", "–")),
                _figure(v.metadata.get("test_metrics", {}).get("auc")),
                _window(v.metadata.get("training_window")),
                f"{v.deployed_at:%Y-%m-%d %H:%M}" if v.deployed_at else "–",
            )
            for v in versions
        ],
    )


def _card(values: Mapping[str, Any]) -> Card:
    metadata = values["metadata"]
    pairs = [(key.replace("_", " "), words(values[key])) for key in ("name", "version", "status", "run_id")]
    pairs += [("deployed at", words(values["deployed_at"])), ("digest", values["digest"])]
    pairs.append(("algorithm", words(metadata.get("algorithm"))))
    pairs += [(f"  {name}", words(value)) for name, value in (metadata.get("parameters") or {}).items()]
    pairs.append(("trained on", _window(metadata.get("training_window"))))
    pairs += [(key.replace("_", " "), words(metadata.get(key))) for key in ("preprocessing", "leakage", "leaks")]
    pairs.append(("code version", words(metadata.get("code_version"))))
    for name, metric in metadata.get("test_metrics", {}).items():
        lower, upper = metric.get("lower"), metric.get("upper")
        interval = f" [{lower:.3f}, {upper:.3f}]" if lower is not None and upper is not None else ""
        pairs.append((f"hold-out {name}", _figure(metric) + interval))
    for entry in values["deployments"]:
        pairs.append((entry["action"], f"{words(entry['deployed_at'])} by {entry['actor']}: {entry['reason']}"))
    return Card(pairs=pairs)


def _window(window: Mapping[str, str] | None) -> str:
    return f"{window['start'][:10]} … {window['end'][:10]}" if window else "–"


def _figure(metric: Mapping[str, Any] | None) -> str:
    return "–" if metric is None or metric["value"] is None else f"{metric['value']:.3f}"
