"""`demo`: a lender's year, month by month."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from loanwatch.cli.context import AsJson, Shared, shared

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(demo)


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Another seed simulates another lender.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Simulate a lender's year in a database of its own and run the pipeline month by month.

    Nothing outside the demo's folder is touched, and a second demo starts afresh.
    """
    from loanwatch.pipeline.demo import DEMO_FOLDER, run_demo

    here = shared(context)
    home = here.settings.home / DEMO_FOLDER
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=here.err, transient=True, disable=not here.err.is_terminal) as bar:
        task = bar.add_task("starting PostgreSQL", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            if here.err.is_terminal:
                bar.update(task, description=doing, completed=done, total=total)
            elif doing.endswith((": extract", "year")):  # a line for each month is enough where nobody watches a bar
                here.err.print(doing.removesuffix(": extract"), highlight=False)

        rows = [run.summary or {} for run in run_demo(home, seed=seed, tell=tell)]
    here.show(rows, lambda: _result(here, rows), as_json=as_json)


def _result(here: Shared, rows: list[Mapping[str, Any]]) -> Any:  # noqa: ANN401  (rich's renderables have no type)
    from rich.console import Group
    from rich.text import Text

    from loanwatch.cli.tables import run_table
    from loanwatch.pipeline.demo import DEMO_FOLDER

    home = _nearby(here.settings.home / DEMO_FOLDER)
    command = f"{_nearby(Path(sys.argv[0]))} --home {home}"
    told = [r for r in rows if r["outcome"] != "no_change" and r["reasons"]]
    next_steps = {
        "alerts list --all": "what was wrong, since when, and what came of it",
        "models list": "the models, and which one is online",
        "models rollback": "put the previous model online again",
        "report 6": "where a run's page lies",
        "db stop": "stop the demo's PostgreSQL",
    }
    return Group(
        run_table(rows),
        Text("\nWhat happened", style="bold"),
        *(Text(f"  run {r['run_id']}: {r['reasons'][0]}") for r in told),
        Text(f"\nReports: {home / 'reports'}"),
        Text("\nWhat to type next", style="bold"),
        *(Text(f"  {command} {step:<17} # {why}") for step, why in next_steps.items()),
    )


def _nearby(path: Path) -> Path:
    """Return the path as one would type it from here."""
    absolute = path.absolute()
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute
