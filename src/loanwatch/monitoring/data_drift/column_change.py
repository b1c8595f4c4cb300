"""What was measured of one column in two windows, before anything is judged."""

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from loanwatch.monitoring.profile import ColumnProfile
from loanwatch.monitoring.result import Measurement, Severity
from loanwatch.monitoring.verdict import DriftSize, drift_severity
from loanwatch.records import record

__all__ = ["MINIMUM_VALUES", "ColumnChange", "Variation", "measurement"]

MINIMUM_VALUES = 20
"""Fewer values than this on either side say nothing about a distribution."""


@record
class Variation:
    """Variance of windows like the current one inside the reference, over that of independent rows."""

    values: float = 1.0
    missing: float = 1.0
    order: float = 1.0
    """Of the distance of distribution functions."""


@record
class ColumnChange:
    """One column compared: measurements, and for each aspect a p-value and a size."""

    subject: str
    title: str
    reference: ColumnProfile
    current: ColumnProfile
    measurements: tuple[Measurement, ...]
    p_values: Mapping[str, float]
    """Aspect (`values`, `shape`, `share`, `missing`, `unseen`, `others`) → p-value before correction."""
    sizes: Mapping[str, DriftSize]
    """Aspect → size that counts when the aspect is real."""
    variation: Variation = field(default_factory=Variation)
    limitation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def psi(self) -> float:
        """The population stability index; `nan` where it could not be measured."""
        return next((m.value for m in self.measurements if m.name == "psi"), math.nan)

    def severity(self, adjusted: Mapping[str, float], *, reliance: float = 1.0, leaving: bool = False) -> Severity:
        """Return the severity, given the corrected p-value of each aspect; `leaving`: by the lower thresholds."""
        return max(
            (
                drift_severity(adjusted.get(a, math.nan), size, reliance=reliance, leaving=leaving)
                for a, size in self.sizes.items()
            ),
            default=Severity.NONE,
        )


def measurement(
    name: str,
    value: float,
    reference: ColumnProfile,
    current: ColumnProfile,
    *,
    p_value: float = math.nan,
    interval: tuple[float, float] | None = None,
) -> tuple[Measurement, ...]:
    """Return the measurement as a tuple of one; empty where the value could not be measured."""
    if not math.isfinite(value):
        return ()
    return (
        Measurement(
            name=name,
            value=value,
            lower=interval[0] if interval else None,
            upper=interval[1] if interval else None,
            p_value=None if math.isnan(p_value) else p_value,
            n_reference=reference.rows,
            n_current=current.rows,
        ),
    )
