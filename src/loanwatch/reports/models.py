"""Tables of model figures: candidates, the comparison with the deployed model, the deployed model in this window."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from loanwatch.monitoring import CheckReport, Measurement
from loanwatch.records import record
from loanwatch.reports.formatting import (
    NOTHING,
    interval,
    measured,
    measurement_of,
    metric_title,
    share,
    text,
    title,
)
from loanwatch.reports.summary import CandidateFigures, RunSummary

__all__ = ["ModelTable", "deployed_table", "model_tables"]

MAXIMUM_CANDIDATES = 6
MAXIMUM_METRICS = 20


@record
class ModelTable:
    """A table with a caption; cells are pairs of value and interval."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    notes: tuple[str, ...] = ()


def model_tables(summary: RunSummary) -> tuple[ModelTable, ...]:
    """Return the tables that have anything to show."""
    tables = (deployed_table(summary.model_drift), _comparison(summary), _candidates(summary.candidates))
    return tuple(table for table in tables if table is not None)


def deployed_table(
    report: CheckReport | None, *, caption: str = "The deployed model", reference: str = "Own hold-out"
) -> ModelTable | None:
    """Return the figures of a model-drift check: this window's, the reference's, and those estimated without labels."""
    if report is None or not report.measurements:
        return None
    subjects = {
        "current": "This window",
        "dataset": "This window",
        "reference": reference,
        "estimated": "Estimated without labels",
    }
    found = [
        # an estimate stands beside the truth that it is one of
        (subjects[name], [replace(m, name=m.name.removeprefix("estimated_")) for m in report.measurements[name]])
        for name in subjects
        if report.measurements.get(name)
    ]
    return _table(caption, [name for name, _ in found], [rows for _, rows in found]) if found else None


def _candidates(candidates: Sequence[CandidateFigures]) -> ModelTable | None:
    shown = candidates[:MAXIMUM_CANDIDATES]
    if not shown:
        return None
    columns, figures, notes = [], [], []
    for each in shown:
        name = title(each.name) + (" (chosen)" if each.chosen else "")
        columns += [f"{name}: test", f"{name}: training"]
        figures += [each.test, each.train]
        if each.reason:
            notes.append(f"{title(each.name)}: {text(each.reason)}")
    if more := len(candidates) - len(shown):
        notes.append(f"And {more} more {'candidate' if more == 1 else 'candidates'}.")
    return _table("Candidates trained in this run", columns, figures, notes)


def _table(
    caption: str, columns: Sequence[str], figures: Sequence[Sequence[Measurement]], notes: Sequence[str] = ()
) -> ModelTable:
    names = list(dict.fromkeys(m.name for each in figures for m in each))[:MAXIMUM_METRICS]
    by_name = [{m.name: m for m in each} for each in figures]
    rows = tuple((metric_title(name), tuple(_cell(each.get(name)) for each in by_name)) for name in names)
    return ModelTable(caption=caption, columns=tuple(columns), rows=rows, notes=tuple(notes))


def _cell(measurement: Measurement | None) -> tuple[str, str]:
    return (
        (NOTHING, "") if measurement is None else (measured(measurement.name, measurement.value), interval(measurement))
    )


def _comparison(summary: RunSummary) -> ModelTable | None:
    """Show what the challenger was held against, with the applications that the two decide differently."""
    comparison = summary.comparison
    measurements = [m for m in map(measurement_of, comparison.get("measurements", ())) if m is not None]
    if not measurements:
        return None
    notes = [text(comparison["reason"])] if comparison.get("reason") else []
    swaps: Any = comparison.get("swap_set") or {}
    names = {"given_to_refused": "given by the old model, refused by the new one"}
    names["refused_to_given"] = "refused by the old model, given by the new one"
    for key, words in names.items():
        swap = swaps.get(key)
        if isinstance(swap, Mapping) and swap.get("rows"):
            rate = swap.get("positive_rate")
            notes.append(f"{swap['rows']:,} held-out applications {words}; {share(rate)} of them were truly given.")
    return _table("New model against the deployed one, same held-out applications", ["Value"], [measurements], notes)
