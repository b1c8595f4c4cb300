"""`compare`: any two tables, with or without a contract."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loanwatch.cli.context import AsJson, Shared, shared

if TYPE_CHECKING:
    from rich.console import RenderableType

    from loanwatch.comparison import TableComparison

__all__ = ["DRIFT", "register", "show_comparison", "write_page"]

DRIFT = 2
"""Exit code where there is drift."""
_STYLES = {"none": "green", "low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}
_WORDS = {"none": "ok", "low": "notice"}
_TITLES = {
    "columns": "columns",
    "data_quality": "data quality",
    "data_drift": "data drift",
    "model_drift": "model drift",
    "concept_drift": "concept drift",
}
_MOST_FINDINGS, _MOST_LIMITATIONS = 25, 10


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(compare)


def compare(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(help="CSV or Parquet file, sql:TABLE or sql:'SELECT …'.")],
    current: Annotated[str, typer.Argument(help="The table that is compared with it, likewise.")],
    label: Annotated[str | None, typer.Option(help="Column that the model predicts.")] = None,
    score: Annotated[str | None, typer.Option(help="Column with the model's probability.")] = None,
    time: Annotated[str | None, typer.Option(help="Column that dates the rows.")] = None,
    contract: Annotated[Path | None, typer.Option(help="Contract file; by default inferred from the data.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    drift_from: Annotated[
        Literal["low", "medium", "high"], typer.Option(help="Severity from which the exit code is 2.")
    ] = "medium",
    as_json: AsJson = False,
) -> None:
    """Compare two tables: what moved, is it real, does it matter.

    The exit code is 0 without drift, 2 with drift (a verdict of medium or worse, which asks somebody to act), 1 on an
    error.
    """
    from loanwatch.comparison import compare as compare_tables
    from loanwatch.monitoring.result import Severity

    here = shared(context)
    database = None
    if any(source.startswith("sql:") for source in (reference, current)):
        from loanwatch.database import open_database

        database = open_database(here.settings)
    found = compare_tables(
        reference,
        current,
        label=label,
        score=score,
        time=time,
        contract=contract or here.settings.contract_file,
        database=database,
    )
    if html is not None:
        write_page(html, found.to_html())
    show_comparison(here, found, html, as_json=as_json)
    if found.severity >= Severity.from_word(drift_from):
        raise typer.Exit(DRIFT)


def write_page(path: Path, page: str) -> None:
    """Write a report where the user wants it."""
    from loanwatch.errors import StorageError

    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"--html {path} cannot be written: {error.strerror or error}") from error


def show_comparison(here: Shared, found: "TableComparison", html: Path | None, *, as_json: bool) -> None:
    """Print what a comparison came to, for people or machines."""
    values: dict[str, Any] = {}
    if as_json:
        values = found.to_dict() | {"report": str(html) if html else None}
    here.show(values, lambda: _told(found, html), as_json=as_json)


def _told(found: "TableComparison", html: Path | None) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    checks = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, report in found.reports.items():
        word = "not made" if report.status == "skipped" else _WORDS.get(report.severity.word, report.severity.word)
        style = "dim" if report.status == "skipped" else _STYLES[report.severity.word]
        checks.add_row(Text(_TITLES.get(name, name)), Text(word, style=style), Text(report.summary))
    findings = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("verdict", "column", "finding"):
        findings.add_column(title)
    for finding in found.findings[:_MOST_FINDINGS]:
        word = finding.severity.word
        findings.add_row(
            Text(_WORDS.get(word, word), style=_STYLES[word]), Text(finding.subject), Text(finding.sentence)
        )
    limitations = [*found.limitations, *(line for r in found.reports.values() for line in r.limitations)]
    more, more_notes = len(found.findings) - _MOST_FINDINGS, len(limitations) - _MOST_LIMITATIONS
    parts: list[RenderableType] = [
        Text(
            f"{found.current} ({found.current_rows:,} rows) against {found.reference} ({found.reference_rows:,} rows)"
        ),
        Text("drift" if found.drifted else "no drift", style="bold red" if found.drifted else "bold green"),
        checks,
        *_if(found.findings, Text(""), findings),
        *_if(more > 0, Text(f"and {more} more")),
        *_if(limitations, Text("")),
        *(Text(f"note: {line}", style="dim") for line in limitations[:_MOST_LIMITATIONS]),
        *_if(more_notes > 0, Text(f"and {more_notes} more notes")),
        *_if(html, Text(f"report: {html}")),
    ]
    return Group(*parts)


def _if(wanted: object, *parts: "RenderableType") -> "tuple[RenderableType, ...]":
    return parts if wanted else ()
