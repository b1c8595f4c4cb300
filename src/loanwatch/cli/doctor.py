"""`doctor`: whether everything is there that a run needs."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from tempfile import TemporaryFile

import typer
from rich.table import Table
from rich.text import Text

from loanwatch import __version__
from loanwatch.cli.context import AsJson, Shared, shared
from loanwatch.errors import LoanwatchError
from loanwatch.records import record

__all__ = ["register"]

_MINIMUM_FREE_GB = 1.0
"""A year of monthly runs of 5,000 rows with their models takes about a tenth of this."""


@record
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(doctor)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at everything a run needs and say what to do where something is missing; exit code 1 if anything is."""
    here = shared(context)
    findings = list(_look(here))
    here.show([asdict(f) for f in findings], lambda: _table(findings), as_json=as_json)
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def _look(here: Shared) -> Iterator[Finding]:
    yield Finding(
        what="loanwatch", ok=True, detail=f"{__version__} on Python {'.'.join(map(str, sys.version_info[:3]))}"
    )
    yield _contract(here)
    yield _home(here)
    yield from _database(here)


def _contract(here: Shared) -> Finding:
    try:
        contract = here.settings.contract()
    except LoanwatchError as error:
        return Finding(what="contract", ok=False, detail=str(error))
    return Finding(what="contract", ok=True, detail=f"{contract.name}, {len(contract.predictors)} predictors")


def _home(here: Shared) -> Finding:
    home = here.settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=home):
            pass
    except OSError as error:
        return Finding(
            what="home", ok=False, detail=f"{home} cannot be written ({error.strerror}): set LOANWATCH_HOME elsewhere"
        )
    free = shutil.disk_usage(home).free / 1e9
    return Finding(what="home", ok=free >= _MINIMUM_FREE_GB, detail=f"{home}, {free:,.1f} GB free")


def _database(here: Shared) -> Iterator[Finding]:
    from loanwatch.database import open_database, pending
    from loanwatch.etl import check_source
    from loanwatch.registry import online_version

    try:
        database = open_database(here.settings)
        database.check()
    except LoanwatchError as error:
        yield Finding(what="database", ok=False, detail=str(error))
        return
    yield Finding(what="database", ok=True, detail=database.address)
    try:
        waiting = pending(database)
        yield Finding(
            what="schema",
            ok=not waiting,
            detail=f"{len(waiting)} migrations pending: run `loanwatch db migrate`" if waiting else "up to date",
        )
        yield Finding(what="source tables", ok=True, detail=check_source(database, here.settings.contract()))
        if not waiting:
            with database.connect() as connection:
                model = online_version(connection, here.settings.contract().name)
            yield Finding(what="model", ok=True, detail=f"{model.title} is online" if model else "none deployed yet")
    except LoanwatchError as error:
        advice = "`loanwatch load FOLDER` fills them, `loanwatch simulate` invents some"
        yield Finding(what="source tables", ok=False, detail=f"{error}; {advice}")


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for f in findings:
        table.add_row("[green]ok[/]" if f.ok else "[red]missing[/]", f.what, Text(f.detail))
    return table
