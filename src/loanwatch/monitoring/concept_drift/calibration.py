"""Calibration of the score in the hold-out and in the window."""

import math

from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.statistics.calibration import calibration_error, calibration_line, spiegelhalter
from loanwatch.statistics.estimate import Estimate

__all__ = ["measure_calibration"]


def measure_calibration(reference: ScoredWindow, current: ScoredWindow) -> tuple[Measurement, ...]:
    """Return calibration errors, Cox's line with intervals, and Spiegelhalter's z.

    Parameters
    ----------
    reference, current : ScoredWindow
        Labelled applications only.

    Returns
    -------
    tuple of Measurement
        What the data do not determine is left out.
    """
    line = calibration_line(current.positive, current.probability)
    z, p_value = spiegelhalter(current.positive, current.probability)
    sizes = {"n_reference": reference.rows, "n_current": current.rows}
    errors = [calibration_error(w.positive, w.probability) for w in (reference, current)]
    found = (
        Measurement(name="calibration_error_reference", value=errors[0], **sizes),
        Measurement(name="calibration_error", value=errors[1], **sizes),
        _with_interval("calibration_slope", line.slope, current.rows),
        _with_interval("calibration_intercept", line.intercept, current.rows),
        Measurement(name="spiegelhalter_z", value=z, p_value=p_value, n_current=current.rows),
    )
    return tuple(m for m in found if not math.isnan(m.value))


def _with_interval(name: str, estimate: Estimate, rows: int) -> Measurement:
    return Measurement(name=name, value=estimate.value, lower=estimate.lower, upper=estimate.upper, n_current=rows)
