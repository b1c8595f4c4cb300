"""The label stream watched row by row: when the model's probabilities stopped coming true."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.binomial import clopper_pearson
from loanwatch.statistics.calibration import score_band_edges
from loanwatch.statistics.e_detector import sound_alarm

__all__ = ["StreamAlarm", "watch_stream"]

_BANDS = 20
_ROWS_PER_BAND = 100
_CONFIDENCE = 0.99
"""Of each band's interval: what the hold-out leaves open is not evidence against it."""


@record
class StreamAlarm:
    """The moment at which somebody watching would have known, as times of applications in UTC."""

    time: np.datetime64
    """Of the application whose label raised the alarm."""
    applications: int
    """Applications of the window, in order of time, up to and with that one."""
    started: int
    """Applications before the change, judged by the labels up to the alarm."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "time": str(np.datetime_as_string(self.time, unit="s")),
            "applications": self.applications,
            "started": self.started,
        }


def watch_stream(
    reference: ScoredWindow, current: ScoredWindow, *, false_alarm_rate: float = 0.01
) -> StreamAlarm | None:
    """Return when the labels of the window, in order of time, first contradict the hold-out, or None.

    What counts is what came true in the hold-out at the same score, within its exact binomial interval. The alarm is an
    e-detector: looking after every label costs nothing, and while the relation holds it rings in at most
    `false_alarm_rate` of windows.

    Parameters
    ----------
    reference : ScoredWindow
        The deployed model's hold-out; only rows with a label count.
    current : ScoredWindow
        The window or stream; only rows with a label count.
    false_alarm_rate : float in (0, 1)
        For the whole window.
    """
    known, stream = reference.labelled(), current.labelled()
    if not known.rows or not stream.rows:
        return None
    order = np.argsort(stream.time, kind="stable")
    rate, lower, upper = _observed_rates(known, stream.probability[order])
    alarm = sound_alarm(stream.positive[order], rate, lower=lower, upper=upper, false_alarm_rate=false_alarm_rate)
    if alarm is None:
        return None
    return StreamAlarm(time=stream.time[order][alarm.position], applications=alarm.position + 1, started=alarm.started)


def _observed_rates(reference: ScoredWindow, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of positives that each score had in the hold-out, and its limits, by score band."""
    bands = int(np.clip(reference.rows // _ROWS_PER_BAND, 1, _BANDS))
    edges = score_band_edges(reference.probability, bands=bands)
    band = np.searchsorted(edges, reference.probability, side="right")
    positive = np.bincount(band, weights=reference.label, minlength=edges.size + 1).astype(int)
    rows = np.bincount(band, minlength=edges.size + 1)
    found = [clopper_pearson(int(k), int(n), confidence=_CONFIDENCE) for k, n in zip(positive, rows, strict=True)]
    centre = (positive + 0.5) / (rows + 1.0)  # none of a band's rows having failed does not mean that none can
    # Of scores that the hold-out never had nothing is known: no label contradicts it.
    limits = np.where(rows[:, None] > 0, [[e.lower, e.upper] for e in found], [0.0, 1.0])
    table = np.column_stack([centre, limits])
    rates: NDArray[np.float64] = table[np.searchsorted(edges, probability, side="right")].T
    return rates
