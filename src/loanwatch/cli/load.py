"""`load FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from loanwatch.cli.context import AsJson, shared

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("load")(load)


def load(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with one CSV or Parquet file for each source table.")],
    as_json: AsJson = False,
) -> None:
    """Load files into the source tables: all or nothing, and without duplicates when repeated."""
    from loanwatch.database import open_database
    from loanwatch.etl import LoadReport, load_folder

    here = shared(context)
    contract, database = here.settings.contract(), open_database(here.settings)
    with here.stages("load") as stage:
        report = load_folder(database, contract, folder, progress=lambda table, rows: stage(f"{table}, {rows:,} rows"))

    def table(report: LoadReport = report) -> Table:
        shown = Table("table", "file", "rows", "inserted", "already there")
        for row in report.tables:
            shown.add_row(row.table, row.file, f"{row.rows:,}", f"{row.inserted:,}", f"{row.skipped:,}")
        return shown

    here.show(report.to_dict(), table, as_json=as_json)
