"""Performance over windows, as the pages show it."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanwatch.monitoring import CheckReport, Measurement
from loanwatch.records import record
from loanwatch.reports.charts import HistoryChart, history_chart
from loanwatch.reports.formatting import figure, interval, text
from loanwatch.reports.summary import HistoryPoint

__all__ = ["History", "history_of", "points_of"]

MAXIMUM_POINTS = 60


@record
class History:
    """A chart of performance over windows, and its figures."""

    chart: HistoryChart
    table: tuple[tuple[str, str, str, str], ...]
    """Window, AUC, 95 % interval, estimate."""


def history_of(points: Sequence[HistoryPoint]) -> History | None:
    """Lay out performance over windows; None where nothing is known of any."""
    shown = points[-MAXIMUM_POINTS:]
    chart = history_chart(shown)
    return None if chart is None else History(chart=chart, table=tuple(map(_row, shown)))


def points_of(report: CheckReport | None) -> tuple[HistoryPoint, ...]:
    """Return the windows that a model-drift check recorded."""
    windows: Any = report.details.get("windows") if report else None
    known = [each for each in windows or () if isinstance(each, Mapping) and "window" in each]
    return tuple(
        HistoryPoint(
            window=f"{each['window']} ({each['table']})" if "table" in each else str(each["window"]),
            **{name: each.get(name) for name in ("auc", "lower", "upper", "estimate")},
        )
        for each in known
    )


def _row(point: HistoryPoint) -> tuple[str, str, str, str]:
    ends = Measurement(name="auc", value=point.auc or 0.0, lower=point.lower, upper=point.upper)
    return text(point.window, 40), figure(point.auc), interval(ends), figure(point.estimate)
