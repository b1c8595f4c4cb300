"""Two numeric columns that the feed delivers under each other's names."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Column, Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.reference import PROBABILITIES
from loanwatch.monitoring.data_quality.wording import sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.statistics import FloatArray

__all__ = ["check_swapped"]

MINIMUM_ROWS = 30
APART = 0.3
"""Kolmogorov-Smirnov distance from its own reference that a swapped column has at least; smaller, it does no harm."""
ALIKE = 0.1
"""And at most from the other's, beyond chance: quantiles tell a count's distribution no better."""
_CHANCE = 1.36
"""95 % quantile of the Kolmogorov distribution."""


def check_swapped(inspection: Inspection) -> Outcome:
    """Return a finding for each pair of numeric predictors that each hold what the other held in the reference."""
    reference = inspection.reference
    if reference is None:
        return Outcome()
    moved: dict[str, FloatArray] = {}
    columns = {c.name: c for c in inspection.predictors if c.kind is Kind.NUMERIC and c.name in reference.quantiles}
    for name in columns:
        values = inspection.ordered[name]
        if values.size >= MINIMUM_ROWS and _distance(values, reference.quantiles[name]) >= APART:
            moved[name] = values
    return Outcome(findings=tuple(_findings(inspection, columns, moved)))


def _findings(inspection: Inspection, columns: dict[str, Column], moved: dict[str, FloatArray]) -> Iterator[Finding]:
    assert inspection.reference is not None  # noqa: S101  (the caller looked)
    quantiles, n_reference = inspection.reference.quantiles, inspection.reference.rows
    for first, second in combinations(moved, 2):
        crossed = max(_distance(moved[first], quantiles[second]), _distance(moved[second], quantiles[first]))
        rows = min(moved[first].size, moved[second].size)
        if crossed > ALIKE + _CHANCE * np.sqrt(1.0 / rows + 1.0 / max(n_reference, 1)):
            continue
        for name, other in ((first, second), (second, first)):
            yield Finding(
                check="data_quality.swapped",
                subject=name,
                severity=Severity.HIGH,
                sentence=sentence(
                    f"{columns[name].label} holds what {columns[other].label} held in the reference, and the other way "
                    f"round: the two columns are probably swapped."
                ),
                measurements=(
                    Measurement(name="ks", value=_distance(moved[name], quantiles[name]), n_current=moved[name].size),
                ),
                details={"columns": [name, other]},
            )


def _distance(ordered: FloatArray, quantiles: tuple[float, ...]) -> float:
    """Return the largest difference between the shares of ascending values and of the reference, at its quantiles."""
    at: NDArray[np.float64] = np.asarray(quantiles)
    foreseen = np.interp(at, at, PROBABILITIES)  # where several quantiles are one value, the share up to it
    return float(np.abs(np.searchsorted(ordered, at, side="right") / ordered.size - foreseen).max())
