"""`drift`: any stretches of days, from their stored profiles."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from loanwatch.cli.compare import DRIFT, show_comparison, write_page
from loanwatch.cli.context import AsJson, parse_time, shared
from loanwatch.errors import WindowError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(drift)


def drift(
    context: typer.Context,
    start: Annotated[str, typer.Option(help="First day that is looked at, such as 2015-03-01 (UTC).")],
    end: Annotated[str, typer.Option(help="First day after them.")],
    reference_start: Annotated[
        str | None, typer.Option(help="First day to compare with; by default what the model learnt from.")
    ] = None,
    reference_end: Annotated[str | None, typer.Option(help="First day after those.")] = None,
    model: Annotated[
        int | None, typer.Option(help="Version whose days are looked at; by default the one that is online.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    drift_from: Annotated[
        Literal["low", "medium", "high"], typer.Option(help="Severity from which the exit code is 2.")
    ] = "medium",
    as_json: AsJson = False,
) -> None:
    """Compare any days with what the model learnt from, or with any other days, without reading an application.

    The exit code is 0 without drift, 2 with drift, 1 on an error.
    """
    from loanwatch.comparison import TableComparison
    from loanwatch.database import open_database
    from loanwatch.monitoring.result import Severity
    from loanwatch.pipeline import compare_days

    here = shared(context)
    window = (parse_time(start, option="--start"), parse_time(end, option="--end"))
    if (reference_start is None) != (reference_end is None):
        raise WindowError("--reference-start and --reference-end go together: give both or neither")
    reference = None
    if reference_start is not None and reference_end is not None:
        reference = (
            parse_time(reference_start, option="--reference-start"),
            parse_time(reference_end, option="--reference-end"),
        )
    stored = compare_days(
        here.settings, open_database(here.settings), window=window, reference=reference, version=model
    )
    found = TableComparison(
        reference=stored.reference,
        current=stored.current,
        reference_rows=stored.reference_rows,
        current_rows=stored.current_rows,
        reports={"data_drift": stored.report},
        limitations=stored.limitations,
        column_titles={column.name: column.label for column in here.settings.contract().described},
        importance=stored.importance,
    )
    if html is not None:
        write_page(html, found.to_html())
    show_comparison(here, found, html, as_json=as_json)
    if found.severity >= Severity.from_word(drift_from):
        raise typer.Exit(DRIFT)
