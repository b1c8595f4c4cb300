"""`compare`: any two tables, with or without a contract."""

import contextlib
import gc
import json
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loanwatch.cli.context import AsJson, Shared, parse_time, shared
from loanwatch.cli.listing import Listing, paragraph, plain
from loanwatch.cli.styles import severity_word
from loanwatch.errors import SourceError, StorageError, shorten

if TYPE_CHECKING:
    from rich.text import Text

    from loanwatch.comparison import TableComparison

__all__ = ["DRIFT", "register", "show_comparison", "write_page"]

DRIFT = 2
"""Exit code where there is drift."""
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
    as_of: Annotated[
        str | None, typer.Option(help="Moment of judging, as 2015-03-31: younger labels than the delay are not judged.")
    ] = None,
    label_delay: Annotated[
        int | None, typer.Option(min=0, help="Days from --time until a label is known; by default the contract's.")
    ] = None,
    importance: Annotated[
        Path | None,
        typer.Option(help="JSON file with each feature's share of the model's reliance; weighs severities."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    drift_from: Annotated[
        Literal["low", "medium", "high"], typer.Option(help="Severity from which the exit code is 2.")
    ] = "medium",
    as_json: AsJson = False,
) -> None:
    """Compare two tables: what moved, is it real, does it matter.

    The exit code is 0 without drift, 2 with drift (a verdict of medium or worse, which asks somebody to act), 1 on an
    error and where nothing could be compared.
    """
    gc.set_threshold(200_000)  # else a twelfth of a short comparison is a search for cycles in what is imported
    from loanwatch.comparison import compare as compare_tables
    from loanwatch.monitoring.result import Severity

    here = shared(context)
    if html is not None and any(_is_same_file(html, source) for source in (reference, current)):
        raise StorageError(f"--html {html} is one of the tables: give the report a name of its own")
    if html is not None:  # what draws the page is imported while the tables are counted
        Thread(target=_prepare_page).start()
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
        contract=contract or here.contract_file,
        database=database,
        as_of=parse_time(as_of, option="--as-of") if as_of else None,
        label_delay_days=label_delay,
        importance=_read_importance(importance) if importance else None,
    )
    if html is not None:
        write_page(html, found.to_html())
    show_comparison(here, found, html, as_json=as_json)
    if found.severity >= Severity.from_word(drift_from):
        raise typer.Exit(DRIFT)
    if not found.judged:  # an empty feed is not to pass for one without drift
        skipped = next((r.summary for name, r in found.reports.items() if name != "columns"), "")
        raise SourceError(f"nothing could be compared: {skipped}")


def _read_importance(path: Path) -> dict[str, float]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"--importance {path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # no UTF-8, or no JSON
        raise SourceError(f"--importance {path} is no JSON: {shorten(error, 200)}") from error
    if not isinstance(values, dict):
        raise SourceError(f'--importance {path}: give an object of numbers, as {{"annual_income": 0.3}}')
    return values


def _is_same_file(page: Path, source: str) -> bool:
    try:
        return page.samefile(source)
    except (OSError, ValueError):  # one of them is no file
        return False


def _prepare_page() -> None:
    with contextlib.suppress(Exception):  # who asks for the page meets the same error, and tells it
        import_module("loanwatch.reports.comparison")
        import_module("rich.console")  # what prints is wanted at the end too


def write_page(path: Path, page: str) -> None:
    """Write a report where the user wants it."""
    try:
        path.write_text(page, encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or error
        raise StorageError(f"--html {path} cannot be written: {why}") from error


def show_comparison(here: Shared, found: "TableComparison", html: Path | None, *, as_json: bool) -> None:
    """Print what a comparison came to, for people or machines."""
    values: dict[str, Any] = {}
    if as_json:
        values = found.to_dict() | {"report": str(html) if html else None}
    here.show(values, lambda: _told(found, html, here.width), as_json=as_json)


def _told(found: "TableComparison", html: Path | None, width: int | None) -> "Text":
    from rich.text import Text

    told = [*found.limitations, *(line for r in found.reports.values() for line in r.limitations)]
    limitations = list(dict.fromkeys(told))
    shown = found.findings[:_MOST_FINDINGS]
    sizes = f"{found.current} ({found.current_rows:,} rows) against {found.reference} ({found.reference_rows:,} rows)"
    findings = Listing(
        headings=("verdict", "column"),
        rows=[(severity_word(f.severity.word), shorten(f.subject)) for f in shown],
        text_heading="finding",
        texts=[f.sentence for f in shown],
    )
    lines: list[Text | str] = [
        Text(plain(sizes)),
        _verdict(found),
        *_checks(found).lines(width),
        *paragraph(_cause(found), width),
        *([Text(), *findings.lines(width)] if shown else []),
        *_more(len(found.findings) - _MOST_FINDINGS, "findings"),
        *([""] if limitations else []),
        *(
            Text(line, style="dim")
            for told in limitations[:_MOST_LIMITATIONS]
            for line in paragraph(f"note: {told}", width)
        ),
        *_more(len(limitations) - _MOST_LIMITATIONS, "notes"),
        *([plain(f"report: {html}")] if html else []),
    ]
    return Text("\n").join(line if isinstance(line, Text) else Text(line) for line in lines)


def _cause(found: "TableComparison") -> str:
    cause = found.cause
    return f"cause: {cause.sentence}" if cause is not None and cause.verdict.value != "none" else ""


def _verdict(found: "TableComparison") -> "Text":
    from rich.text import Text

    if found.drifted:
        return Text("drift", style="bold red")
    return Text("no drift", style="bold green") if found.judged else Text("nothing could be compared", style="bold")


def _checks(found: "TableComparison") -> Listing:
    words = ["not made" if r.status == "skipped" else severity_word(r.severity.word) for r in found.reports.values()]
    return Listing(
        headings=("check", "verdict"),
        rows=[(_TITLES.get(name, name), word) for name, word in zip(found.reports, words, strict=True)],
        text_heading="finding",
        texts=[report.summary for report in found.reports.values()],
    )


def _more(rows: int, what: str) -> list[str]:
    return [f"and {rows:,} more {what if rows > 1 else what.removesuffix('s')}"] if rows > 0 else []
