"""`dispatch`: the process that tells people of alerts."""

import signal
from typing import Annotated

import typer

from loanwatch.cli.context import shared
from loanwatch.errors import LoanwatchError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("dispatch")(dispatch)


def dispatch(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Deliver what is due now, and end.")] = False,
    http: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Also answer /alerts on this port; needs an access token.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address that --http listens on.")] = "127.0.0.1",
) -> None:
    """Deliver alerts to the channels of the settings, until stopped; any number may run beside each other."""
    from loanwatch.alerts.dispatcher import Dispatcher
    from loanwatch.database import migrate, open_database

    if once and http is not None:
        raise LoanwatchError("--once ends when all is delivered, so that --http would answer nobody: leave one out")
    here = shared(context)
    database = open_database(here.settings)
    migrate(database)
    dispatcher = Dispatcher(here.settings, database)
    if once:
        dispatcher.run_once()
        return
    if http is not None:
        from loanwatch.alerts.http_service import alerts_service, start_service
        from loanwatch.predictor.access import Doorkeeper

        start_service(alerts_service(database, caller=Doorkeeper(database)), host=host, port=http)
    names = ", ".join(worker.channel for worker in dispatcher.workers) or "none: alerts wait until one is set"
    here.err.print(f"dispatching to {names}", markup=False, highlight=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: dispatcher.stop())
    dispatcher.run()
