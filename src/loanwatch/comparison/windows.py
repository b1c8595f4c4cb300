"""How well the scores did over time: performance in consecutive windows of both tables."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring import ScoredWindow
from loanwatch.monitoring.label_maturity import judge_labels
from loanwatch.monitoring.performance import HoldOut, estimate_performance
from loanwatch.statistics.delong import delong_estimate

__all__ = ["performance_by_window"]

_MOST_WINDOWS = 8
"""Of each table."""
_FEWEST_ROWS = 300
_FEWEST_OF_A_CLASS = 20


def performance_by_window(
    reference: ScoredWindow, current: ScoredWindow, contract: Contract, *, as_of: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the AUC of consecutive windows, the reference's first, and what was to be expected without their labels.

    Each table is cut into at most eight windows with the same number of rows, at least 300; days are not cut.

    Parameters
    ----------
    reference, current : ScoredWindow
        With their times.
    contract : Contract
        Names the predictors, and says when labels are due.
    as_of : datetime, optional
        The moment of judging, aware.

    Returns
    -------
    list of dict
        `window` (its first day), `table`, `auc` with `lower` and `upper` (None without enough labels), and `estimate`.
        Empty where the rows of a table have one time only.
    """
    known = reference.labelled()
    if not _estimable(known):
        return []
    hold_out = HoldOut.of(known, contract)
    found: list[dict[str, Any]] = []
    for table, rows in (("reference", reference), ("current", current)):
        judged = judge_labels(rows, contract, as_of=as_of).window
        for start, end in _limits(rows.time):
            part = rows.where((rows.time >= start) & (rows.time < end))
            due = judged.where((judged.time >= start) & (judged.time < end)).labelled()
            realised = delong_estimate(due.positive, due.probability) if _estimable(due) else None
            found.append(
                {
                    "window": str(start),
                    "table": table,
                    "auc": realised.value if realised else None,
                    "lower": realised.lower if realised else None,
                    "upper": realised.upper if realised else None,
                    "estimate": estimate_performance(known, part, contract, hold_out=hold_out).auc.value,
                }
            )
    return found


def _estimable(window: ScoredWindow) -> bool:
    positive = int(window.positive.sum())
    return min(positive, window.rows - positive) >= _FEWEST_OF_A_CLASS


def _limits(times: "np.ndarray[Any, np.dtype[np.datetime64]]") -> Iterator[tuple[np.datetime64, np.datetime64]]:
    """Give the first day of each window, and the day after its last one."""
    days = np.sort(times.astype("datetime64[D]"))
    n_windows = min(_MOST_WINDOWS, days.size // _FEWEST_ROWS)
    if n_windows == 0 or days[0] == days[-1]:
        return
    starts = np.unique(days[np.arange(n_windows) * days.size // n_windows])
    yield from zip(starts, [*starts[1:], days[-1] + 1], strict=True)
