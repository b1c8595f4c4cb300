"""`dispatch`: the process that tells people of alerts."""

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from loanwatch.cli.context import shared

if TYPE_CHECKING:
    from fastapi import FastAPI

    from loanwatch.database import Database

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

    here = shared(context)
    database = open_database(here.settings)
    migrate(database)
    dispatcher = Dispatcher(here.settings, database)
    if once:
        dispatcher.run_once()
        return
    names = ", ".join(worker.channel for worker in dispatcher.workers) or "none: alerts wait until one is set"
    here.err.print(f"dispatching to {names}", markup=False, highlight=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: dispatcher.stop())
    if http is not None:
        _serve(_application(database), host=host, port=http)
    dispatcher.run()


def _serve(application: "FastAPI", *, host: str, port: int) -> None:
    import threading

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application, host=host, port=port, log_level="warning"))
    # in a thread uvicorn leaves the signals to the dispatcher, with whose process it ends
    threading.Thread(target=server.run, name="http", daemon=True).start()


def _application(database: "Database") -> "FastAPI":
    from fastapi import FastAPI, HTTPException, Request

    from loanwatch.alerts.http import alerts_router
    from loanwatch.predictor.tokens import TokenBook, list_tokens

    def actor(request: Request) -> str:
        with database.connect() as connection:
            book = TokenBook(list_tokens(connection))
        token = book.check(request.headers.get("authorization", "").encode("latin-1"))
        if token is None:
            message = "a valid access token is needed: send Authorization: Bearer lw_…"
            raise HTTPException(401, message, headers={"WWW-Authenticate": 'Bearer realm="loanwatch"'})
        return token.name

    application = FastAPI(title="loanwatch alerts", docs_url=None, redoc_url=None)
    application.include_router(alerts_router(database, actor=actor))
    return application
