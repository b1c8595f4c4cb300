"""`report`: where a run's page lies, or written anew."""

from typing import Annotated

import typer

from loanwatch.cli.context import AsJson, shared

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(report)


def report(
    context: typer.Context,
    run_id: Annotated[int | None, typer.Argument(help="Number of the run; by default the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a run's HTML page again from what the run recorded, and say where it lies."""
    from loanwatch.database import open_database
    from loanwatch.pipeline import RunContext, find_run, list_runs, write_report

    here = shared(context)
    database = open_database(here.settings)
    if run_id is None:
        newest = list_runs(database, here.settings.contract().name, limit=1)
        run_id = newest[0].id if newest else 0
    path = write_report(RunContext(find_run(database, run_id), database=database, settings=here.settings))
    here.show({"run_id": run_id, "report": str(path)}, str(path), as_json=as_json)
