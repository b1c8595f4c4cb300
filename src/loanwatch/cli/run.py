"""`run`, `backfill`, `runs`: take windows of applications all the way."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import typer

from loanwatch.cli.context import AsJson, parse_time, shared

__all__ = ["register"]

Start = Annotated[str, typer.Option("--start", help="First day or moment of the window, such as 2015-03-01 (UTC).")]
End = Annotated[str, typer.Option("--end", help="First day or moment after the window.")]
Again = Annotated[bool, typer.Option("--again", help="Take a window anew although it was finished before.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
    app.command()(backfill)
    app.command()(runs)


def run(context: typer.Context, start: Start, end: End, again: Again = False, as_json: AsJson = False) -> None:
    """Take one window all the way: fetch, check, decide, and train and deploy if the evidence asks for it.

    A run that was interrupted continues; a window that was finished is shown, not taken again.
    """
    from loanwatch.database import open_database
    from loanwatch.pipeline import run_window

    here = shared(context)
    window = (parse_time(start, option="--start"), parse_time(end, option="--end"))
    with here.stages("run") as tell:
        done = run_window(
            here.settings, open_database(here.settings), start=window[0], end=window[1], again=again, tell=tell
        )
    _show(context, [done.summary or {}], as_json=as_json, single=True)


def backfill(
    context: typer.Context,
    start: Start,
    end: End,
    every: Annotated[Literal["day", "week", "month"], typer.Option(help="How long each window is.")] = "month",
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Take every window of a period, in order."""
    from loanwatch.database import open_database
    from loanwatch.pipeline import backfill as run_windows
    from loanwatch.pipeline import windows_between

    here = shared(context)
    first, last = parse_time(start, option="--start"), parse_time(end, option="--end")
    total = len(list(windows_between(first, last, every=every)))
    summaries = []
    database = open_database(here.settings)
    with here.progress("windows", total=total) as advance:
        for done in run_windows(here.settings, database, start=first, end=last, every=every, again=again):
            summaries.append(done.summary or {})
            advance(len(summaries))
    _show(context, summaries, as_json=as_json)


def runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the runs, newest first."""
    from loanwatch.cli.tables import run_table
    from loanwatch.database import open_database
    from loanwatch.pipeline import list_runs

    here = shared(context)
    found = list_runs(open_database(here.settings), here.settings.contract().name, limit=limit)
    rows = [
        {
            "run_id": r.id,
            "window_start": r.window_start.isoformat(),
            "window_end": r.window_end.isoformat(),
            "status": r.status,
            "outcome": r.outcome,
            **(r.summary or {}),
        }
        for r in found
    ]
    here.show(rows, lambda: run_table(rows), as_json=as_json)


def _show(
    context: typer.Context, summaries: Iterable[Mapping[str, Any]], *, as_json: bool, single: bool = False
) -> None:
    from loanwatch.cli.tables import run_table

    here, rows = shared(context), list(summaries)
    here.show(rows[0] if single else rows, lambda: run_table(rows), as_json=as_json)
    if not as_json:
        for row in rows:
            for reason in row.get("reasons", ()):
                here.out.print(f"  {reason}", markup=False, highlight=False)
        here.out.print(f"report: {rows[-1].get('report')}", markup=False, highlight=False, soft_wrap=True)
