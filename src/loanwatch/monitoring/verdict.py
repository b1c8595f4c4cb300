"""From value to severity: the only place with bands.

A change is judged by two questions. Is it real? The corrected p-value decides. Does it matter? The bands decide, after
the size was weighted by the model's reliance on the feature. Severity needs both.
"""

import math

from loanwatch.monitoring.result import Severity
from loanwatch.records import record

__all__ = [
    "FALSE_DISCOVERY_RATE",
    "LEAVE_P_VALUE",
    "LEAVE_SIZE",
    "Bands",
    "DriftSize",
    "drift_severity",
    "is_real",
    "is_sure",
    "size_severity",
]

FALSE_DISCOVERY_RATE = 0.01
"""Adjusted p-values up to this are real: where nothing moved, one window in a hundred shows anything."""

_SURE = 0.002
"""Adjusted p-values up to this may alarm. In a window of 50 rows every change that is real is also large: without a
second, stricter level each false notice would be a false alarm."""

LEAVE_P_VALUE, LEAVE_SIZE = 5.0, 0.8
"""A verdict that stands is left only below these multiples of the p-values and bands at which it is given."""

_RELIANCE_RANGE = (0.25, 2.0)
"""Even a feature that the model ignores counts for a quarter: a broken feed seldom comes alone."""


@record
class Bands:
    """Sizes from which a real change is a notice, of medium and of high severity."""

    low: float
    medium: float
    high: float

    def severity(self, size: float, *, reliance: float = 1.0) -> Severity:
        """Return the severity of a size, `NONE` for NaN; reliance scales what is above a notice."""
        if math.isnan(size) or size < self.low:
            return Severity.NONE
        weighted = size * min(max(reliance, _RELIANCE_RANGE[0]), _RELIANCE_RANGE[1])
        if weighted >= self.high:
            return Severity.HIGH
        return Severity.MEDIUM if weighted >= self.medium else Severity.LOW


_PSI = Bands(low=0.005, medium=0.10, high=0.25)
"""0.10 and 0.25 are the credit industry's (Siddiqi 2006)."""
_SHIFT = Bands(low=0.05, medium=0.30, high=0.50)
"""In standard deviations; a normal variable shifted by 0.32 has PSI 0.10, by 0.5 PSI 0.25."""
_MISSING = Bands(low=0.01, medium=0.10, high=0.25)
_SHARE = Bands(low=0.01, medium=0.15, high=0.30)
_UNSEEN = Bands(low=0.001, medium=0.05, high=0.20)
_CORRELATION = Bands(low=0.10, medium=0.30, high=0.60)
_APART = Bands(low=0.04, medium=0.09, high=0.14)
"""AUC above one half: that of a normal variable shifted by 0.32 (PSI 0.10) is 0.59, by 0.5 (PSI 0.25) 0.64. A pair of
columns whose correlation moves by 0.10, where the check of correlations begins to speak, gives 0.53; what neither a
column nor a correlation shows has to be a little more than that."""


@record
class DriftSize:
    """How large a change is, each in its own unit; 0 where it does not apply."""

    psi: float = 0.0
    """Above what sampling alone produces."""
    shift: float = 0.0
    """Wasserstein distance in the reference's standard deviations."""
    missing_change: float = 0.0
    """Absolute change of the missing rate, in [0, 1]."""
    share_change: float = 0.0
    """Largest absolute change of a category's share, in [0, 1]."""
    unseen_share: float = 0.0
    """Share of rows with a category that the reference never held."""
    correlation_change: float = 0.0
    """Absolute change, in [0, 2]."""
    apart: float = 0.0
    """AUC of telling the windows apart, above one half."""

    def scaled(self, factor: float) -> "DriftSize":
        """Return all sizes times a factor."""
        return DriftSize(**{name: value * factor for name, value in vars(self).items()})


def is_real(adjusted_p_value: float) -> bool:
    """Return whether chance is ruled out well enough for a notice; never for NaN."""
    return adjusted_p_value <= FALSE_DISCOVERY_RATE


def is_sure(adjusted_p_value: float) -> bool:
    """Return whether chance is ruled out well enough for an alarm; never for NaN."""
    return adjusted_p_value <= _SURE


def size_severity(size: DriftSize, *, reliance: float = 1.0) -> Severity:
    """Return the severity that a change of this size has if it is real.

    Parameters
    ----------
    size : DriftSize
    reliance : float, >= 0
        The feature's share of the model's reliance over the average feature's: 1 is average.

    Examples
    --------
    >>> size_severity(DriftSize(psi=0.12)).word, size_severity(DriftSize(psi=0.12), reliance=0.1).word
    ('medium', 'low')
    """
    return max(
        _PSI.severity(size.psi, reliance=reliance),
        _SHIFT.severity(size.shift, reliance=reliance),
        _MISSING.severity(size.missing_change, reliance=reliance),
        _SHARE.severity(size.share_change, reliance=reliance),
        _UNSEEN.severity(size.unseen_share, reliance=reliance),
        _CORRELATION.severity(size.correlation_change, reliance=reliance),
        _APART.severity(size.apart, reliance=reliance),
    )


def drift_severity(
    adjusted_p_value: float, size: DriftSize, *, reliance: float = 1.0, leaving: bool = False
) -> Severity:
    """Return the severity of a change: none unless it is real, a notice unless it is sure, then by its size.

    Parameters
    ----------
    adjusted_p_value : float, in [0, 1]
        Corrected over everything that was tested; NaN where no test could be made.
    size : DriftSize
    reliance : float, >= 0
        1 is the average feature's.
    leaving : bool
        Ask by the lower thresholds below which an earlier verdict is left: a size just below a band, or a p-value just
        above a level, does not speak against it.

    Examples
    --------
    >>> [drift_severity(p, DriftSize(psi=0.3)).word for p in (0.02, 0.01, 0.001)]
    ['none', 'low', 'high']
    """
    if leaving:
        adjusted_p_value /= LEAVE_P_VALUE
    if not is_real(adjusted_p_value):
        return Severity.NONE
    severity = size_severity(size.scaled(1.0 / LEAVE_SIZE) if leaving else size, reliance=reliance)
    return severity if is_sure(adjusted_p_value) else min(severity, Severity.LOW)
