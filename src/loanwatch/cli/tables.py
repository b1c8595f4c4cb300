"""Tables of runs for the terminal."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from loanwatch.cli.styles import SEVERITY_STYLES, severity_word
from loanwatch.pipeline.outcome import Outcome

__all__ = ["run_table"]

# Every heading and cell is short enough for a terminal of 80 columns.
_CHECK_TITLES = {"data_quality": "quality", "data_drift": "data\ndrift", "concept_drift": "concept\ndrift"}
_DECISIONS = {
    Outcome.DEPLOYED: "deployed",
    Outcome.NO_CHANGE: "nothing to do",
    Outcome.NOTICE: "notice only",
    Outcome.RETRAINED: "retrained",
    Outcome.CHALLENGER_REJECTED: "none better",
    Outcome.HALTED: "halted",
    Outcome.FAILED: "failed",
}


def run_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Return one line a run: window, rows, checks, AUC with its interval, decision, model."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("run", justify="right")
    table.add_column("window")
    table.add_column("rows", justify="right", no_wrap=True)
    for title in _CHECK_TITLES.values():
        table.add_column(title, no_wrap=True)
    table.add_column("AUC [95 %]", no_wrap=True)
    table.add_column("decision", no_wrap=True)
    table.add_column("model", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Mapping[str, Any]) -> list[Text | str]:
    checks = row.get("checks", {})
    return [
        str(row.get("run_id", "")),
        _window(row),
        f"{row['rows']:,}" if row.get("rows") is not None else "",
        *(_severity(checks.get(check, {}).get("severity")) for check in _CHECK_TITLES),
        _auc(row.get("auc")),
        Text(_DECISIONS[Outcome(row["outcome"])] if row.get("outcome") else str(row.get("status", ""))),
        Text((row.get("model") or "–").rpartition(" ")[2]),
    ]


def _window(row: Mapping[str, Any]) -> str:
    start, end = (datetime.fromisoformat(row[key]) for key in ("window_start", "window_end"))
    if start.day == end.day == 1 and (end - start).days in range(28, 32):
        return f"{start:%Y-%m}"
    return f"{start:%Y-%m-%d} … {end:%m-%d}" if start.year == end.year else f"{start:%Y-%m-%d} … {end:%Y-%m-%d}"


def _severity(word: str | None) -> Text:
    if word is None:
        return Text("–", style="dim")
    return Text(severity_word(word), style=SEVERITY_STYLES[word])


def _auc(auc: Mapping[str, Any] | None) -> str:
    if auc is None or auc["value"] is None:
        return "–"
    if auc["lower"] is None:
        return f"{auc['value']:.3f}"
    lower, upper = (f"{auc[end]:.3f}".removeprefix("0") for end in ("lower", "upper"))
    return f"{auc['value']:.3f} [{lower}, {upper}]"
