"""`predict`: score a file or a window of applications."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loanwatch.cli.context import AsJson, parse_time, shared
from loanwatch.errors import WindowError

if TYPE_CHECKING:
    from loanwatch.predictor.batch import BatchResult

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(predict)


def predict(
    context: typer.Context,
    source: Annotated[
        Path | None, typer.Argument(help="Parquet or CSV file; without one, --start and --end name a window.")
    ] = None,
    start: Annotated[str | None, typer.Option("--start", help="First day or moment of the window (UTC).")] = None,
    end: Annotated[str | None, typer.Option("--end", help="First day or moment after the window.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Parquet or CSV file to write.", show_default="table loanwatch.prediction"),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--model", min=1, help="Version to score with.", show_default="the deployed one")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the up to four strongest reasons against each applicant.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score a file or a window of applications of any size, into a file or the table of decisions; all or nothing."""
    from loanwatch.database import migrate, open_database
    from loanwatch.predictor.batch import chosen_scorer, predict_file, predict_window
    from loanwatch.predictor.batch_sources import count_rows
    from loanwatch.storage import open_storage

    here = shared(context)
    if (source is None) != (start is not None and end is not None) or (source is not None and (start or end)):
        raise WindowError("name either a file, or a window with both --start and --end")
    settings = here.settings
    database = open_database(settings)
    migrate(database)
    scorer = chosen_scorer(database, open_storage(settings, "models"), settings.contract(), version=version)
    with here.progress("applications", total=count_rows(source) if source else None) as advance:
        if source is not None:
            done = predict_file(scorer, source, output=output, database=database, explain=explain, progress=advance)
        else:
            done = predict_window(
                scorer,
                start=parse_time(start or "", option="--start"),
                end=parse_time(end or "", option="--end"),
                output=output,
                database=database,
                folder=settings.snapshot_folder,
                explain=explain,
                progress=advance,
            )
    here.show(asdict(done), _told(done, output, settings.contract().label.positive), as_json=as_json)


def _told(done: "BatchResult", output: Path | None, positive: str) -> str:
    place = str(output) if output is not None else f"table loanwatch.prediction (request_id {done.batch_id})"
    share = 100 * done.positive / done.rows
    lines = [f"{done.rows:,} applications scored by model v{done.model_version} into {place}: {share:.1f} % {positive}"]
    lines += [f"  {name}: {rows:,} with a category that training had not seen" for name, rows in _most(done)]
    return "\n".join(lines)


def _most(done: "BatchResult") -> list[tuple[str, int]]:
    return sorted(done.unknown_categories.items(), key=lambda item: -item[1])
