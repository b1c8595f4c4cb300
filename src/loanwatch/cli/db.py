"""`db start|stop|status|migrate`."""

from dataclasses import asdict

import typer

from loanwatch.cli.context import AsJson, Shared, shared
from loanwatch.cli.listing import words

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    db = typer.Typer(help="The database: start, stop, look at, migrate.", no_args_is_help=True)
    db.command("start")(start)
    db.command("stop")(stop)
    db.command("status")(status)
    db.command("migrate")(migrate)
    app.add_typer(db, name="db")


def start(context: typer.Context, as_json: AsJson = False) -> None:
    """Start the embedded server and print how to connect to it (with its password)."""
    from loanwatch.database import EmbeddedServer, open_database

    here = shared(context)
    if here.settings.external_database() is not None:
        address = open_database(here.settings).address
        here.show({"embedded": False, "address": address}, f"a server is named already: {address}", as_json=as_json)
        return
    with here.stages("database") as stage:
        stage("starting")
        server = EmbeddedServer(here.settings.home / "postgres")
        conninfo = server.start()
    values = {"embedded": True, "conninfo": conninfo, **asdict(server.status())}
    here.show(values, conninfo, as_json=as_json)


def stop(context: typer.Context, as_json: AsJson = False) -> None:
    """Stop the embedded server; a server that somebody else runs is left alone."""
    from loanwatch.database import EmbeddedServer

    here = shared(context)
    stopped = EmbeddedServer(here.settings.home / "postgres").stop()
    here.show({"stopped": stopped}, "stopped" if stopped else "was not running", as_json=as_json)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Say which database is used, whether it runs, and which migrations it lacks; starts nothing."""
    here = shared(context)
    values = _status(here)
    text = "\n".join(f"{name.replace('_', ' ')}: {words(value)}" for name, value in values.items())
    here.show(values, text, as_json=as_json)


def migrate(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the schema `loanwatch` up to date."""
    from loanwatch.database import migrate as apply_migrations
    from loanwatch.database import open_database

    here = shared(context)
    applied = apply_migrations(open_database(here.settings))
    text = f"applied {', '.join(applied)}" if applied else "nothing to apply"
    here.show({"applied": list(applied)}, text, as_json=as_json)


def _status(here: Shared) -> dict[str, object]:
    from loanwatch.database import Database, EmbeddedServer, open_database, pending

    if here.settings.external_database() is not None:
        database = open_database(here.settings)
        return {"embedded": False, "running": True, "address": database.address, "pending": list(pending(database))}
    server = EmbeddedServer(here.settings.home / "postgres")
    found = server.status()
    lacking = list(pending(Database(server.start()))) if found.running else None
    return {"embedded": True, **asdict(found), "pending": lacking}
