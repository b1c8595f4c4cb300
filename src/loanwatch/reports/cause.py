"""The cause of a change, and the segments that lost most, as the pages show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanwatch.monitoring import CheckReport, Measurement
from loanwatch.records import record
from loanwatch.reports.formatting import NOTHING, figure, interval, measurement_of, p_value, text, title

__all__ = ["CauseSection", "SegmentTable", "cause_of", "effect_of", "segments_of"]

MAXIMUM_ROWS = 12

_PARTS = {
    "loss_from_features": "From moved features",
    "loss_from_relation": "From a changed relation",
    "loss_change": "Together",
}


@record
class CauseSection:
    """What stands behind a change of the model's loss."""

    sentence: str
    rows: tuple[tuple[str, str, str], ...]
    """Part or feature, change of the Brier score, 95 % interval."""


@record
class SegmentTable:
    """The segments that lost most, whether or not it is beyond chance."""

    note: str
    rows: tuple[tuple[str, str, str, str, str], ...]
    """Applicants, rows, AUC in the reference, AUC now with its interval, p-value."""


def cause_of(cause: Mapping[str, Any] | None, titles: Mapping[str, str]) -> CauseSection | None:
    """Word the split of the loss; None where nothing was recorded.

    Parameters
    ----------
    cause : mapping or None
        `Cause.to_dict()`.
    titles : mapping of str to str
        Column → what a person calls it.
    """
    if not cause or not cause.get("sentence"):
        return None
    parts = [(_PARTS.get(m.name, title(m.name)), m) for m in map(measurement_of, cause.get("measurements", ())) if m]
    for key, words in (("features", "moved"), ("relation", "relation changed")):
        behind = cause.get(key) or {}
        named = [(f"{_named(name, titles)}, {words}", measurement_of(values)) for name, values in behind.items()]
        parts += [(words, m) for words, m in named if m][:MAXIMUM_ROWS]
    return CauseSection(
        sentence=text(cause["sentence"]),
        rows=tuple((name, _signed(m.value), _ends(m)) for name, m in parts),
    )


def effect_of(cause: Mapping[str, Any] | None, column: str) -> str:
    """Return what a moved column does to the score, or nothing: correlated columns move along with it."""
    found = measurement_of(((cause or {}).get("features") or {}).get(column))
    if found is None:
        return ""
    ends = f" ({_ends(found)})" if _ends(found) else ""
    return f"With what moves along, it changes the Brier score by {_signed(found.value)}{ends}."


def segments_of(report: CheckReport | None, titles: Mapping[str, str]) -> SegmentTable | None:
    """Return the table of segments; None where none was judged."""
    found: Any = report.details.get("segments") if report else None
    if not isinstance(found, Sequence) or not found or report is None:
        return None
    rows = [row for each in found[:MAXIMUM_ROWS] if isinstance(each, Mapping) and (row := _segment(each, titles))]
    searched = report.details.get("segments_searched") or len(rows)
    note = f"The surest losses of {searched:,} segments that were looked at; p-values are corrected for all of them."
    return SegmentTable(note=note, rows=tuple(rows)) if rows else None


def _segment(values: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, str, str, str, str] | None:
    if not {"subject", "name", "rows", "auc", "auc_reference"} <= set(values):
        return None
    lower, upper = values.get("auc_interval") or (None, None)
    now = Measurement(name="auc", value=values["auc"] or 0.0, lower=lower, upper=upper)
    ends = interval(now)
    return (
        f"{_named(str(values['subject']), titles)} {text(values['name'], 60)}",
        f"{values['rows']:,}",
        figure(values["auc_reference"]),
        figure(values["auc"]) + (f" ({ends})" if ends else ""),
        p_value(values.get("p_value")) or NOTHING,
    )


def _named(name: str, titles: Mapping[str, str]) -> str:
    return title(titles.get(name, name))


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−", 1)


def _ends(found: Measurement) -> str:
    if found.lower is None or found.upper is None:
        return ""
    return f"{_signed(found.lower)} to {_signed(found.upper)}"
