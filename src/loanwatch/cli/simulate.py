"""`simulate`: fill the source tables with made-up applications."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from loanwatch.cli.context import AsJson, parse_time, shared

__all__ = ["register"]


class Leak(StrEnum):
    """The label leaks that can be planted."""

    MISSING_RECORD = "missing-record"
    SENTINEL_AMOUNT = "sentinel-amount"
    TENFOLD_SCORE = "tenfold-score"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(simulate)


def simulate(
    context: typer.Context,
    start: Annotated[str, typer.Option("--start", help="First day, such as 2015-01-01 (UTC).")],
    end: Annotated[str, typer.Option("--end", help="First day after.")],
    per_month: Annotated[int, typer.Option(min=1, help="Applications a month.")] = 4_400,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and start give the same applications.")] = 0,
    events: Annotated[Path | None, typer.Option(help="TOML file of planted events.")] = None,
    leak: Annotated[list[Leak] | None, typer.Option(help="Plant a label leak; may be given several times.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Empty the three source tables first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate applications and write them into the source tables, all or nothing.

    The tables are created where they do not exist; by default the applications are added to what is there.
    """
    from loanwatch.database import open_database
    from loanwatch.simulator import Leaks, load_events, simulate_chunks, write
    from loanwatch.simulator.calendar import rows_between

    here = shared(context)
    first, last = parse_time(start, option="--start"), parse_time(end, option="--end")
    planted = load_events(events) if events else ()
    leaks = Leaks(**{chosen.value.replace("-", "_"): True for chosen in leak or ()})
    chunks = simulate_chunks(start=first, end=last, seed=seed, per_month=per_month, events=planted, leaks=leaks)
    with here.progress("applications", total=rows_between(first, last, per_month=per_month)) as advance:
        written = write(open_database(here.settings), chunks, replace=replace, progress=advance)
    values: dict[str, Any] = {
        "start": first.isoformat(),
        "end": last.isoformat(),
        "seed": seed,
        "rows": written,
        "events": [event.describe() for event in planted],
        "leaks": list(leaks.names),
    }
    told = ", ".join(f"{rows:,} rows in {table}" for table, rows in written.items())
    here.show(values, f"simulated: {told}", as_json=as_json)
