"""The profile of one numeric column."""

import math
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from loanwatch.monitoring.profile.days import DayCounts, days_from_dict, days_to_dict, merge_days
from loanwatch.monitoring.profile.edges import NumericEdges
from loanwatch.records import record
from loanwatch.statistics import CountArray, FloatArray

__all__ = ["NumericProfile"]


@record(eq=False)
class NumericProfile:
    """Counts and sums of a numeric column over one window."""

    edges: NumericEdges
    counts: CountArray
    """Rows in each bin, shape (n_bins,)."""
    absent: CountArray
    """Rows without a value: missing, sentinel, out_of_range, unreadable."""
    sums_centred: FloatArray
    """Σ(x − centre) in each bin, shape (n_bins,)."""
    repaired: int = 0
    """Rows whose value was changed on reading."""
    squares_centred: float = 0.0
    """Σ(x − centre)²."""
    minimum: float = math.inf
    maximum: float = -math.inf
    days: DayCounts = field(default_factory=dict)

    @cached_property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @cached_property
    def missing(self) -> int:
        """Rows without a value, whatever the reason."""
        return int(self.absent.sum())

    @cached_property
    def sum_centred(self) -> float:
        """Σ(x − centre)."""
        return float(self.sums_centred.sum())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.present + self.missing

    @property
    def mean(self) -> float:
        """Mean of the values; `nan` without any."""
        return self.edges.centre + self.sum_centred / self.present if self.present else math.nan

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the values (n − 1); `nan` with fewer than two."""
        if self.present < 2:
            return math.nan
        squares = self.squares_centred - self.sum_centred**2 / self.present
        return math.sqrt(max(squares, 0.0) / (self.present - 1))

    @property
    def value_groups(self) -> CountArray:
        """Rows in each decile of the reference, and last those with values it never held."""
        return np.bincount(self.edges.groups, weights=self.counts, minlength=self.edges.n_groups).astype(np.int64)

    def boundaries(self, other: "NumericProfile | None" = None) -> FloatArray:
        """Return the boundaries of the bins, the outer ones closed by the extremes of this profile and another."""
        low = min(self.minimum, other.minimum if other else math.inf)
        high = max(self.maximum, other.maximum if other else -math.inf)
        if not math.isfinite(low):
            low = high = 0.0
        inner = self.edges.edges
        if inner.size == 0:
            return np.array([low, high])
        return np.concatenate([[min(low, inner[0])], inner, [max(high, inner[-1])]])

    def quantile(self, probability: float) -> float:
        """Return one of the `quantiles`."""
        return float(self.quantiles([probability])[0])

    def quantiles(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Return quantiles, straight lines inside bins; `nan` without values.

        Parameters
        ----------
        probabilities : array_like of shape (q,), in [0, 1]

        Returns
        -------
        ndarray of shape (q,)
        """
        wanted = np.asarray(probabilities, dtype=np.float64)
        if self.present == 0:
            return np.full(wanted.size, np.nan)
        cumulative, limits = np.cumsum(self.counts), self.boundaries()
        target = wanted * self.present
        position = np.minimum(np.searchsorted(cumulative, target, side="left"), self.counts.size - 1)
        inside = self.counts[position]
        part = np.where(inside > 0, (target - (cumulative[position] - inside)) / np.maximum(inside, 1), 0.0)
        low, high = limits[position], limits[position + 1]
        is_one_value = np.nextafter(high, -np.inf) <= low  # nothing lies between: no straight line either
        value = np.where(is_one_value, high, low + part * (high - low))
        return np.asarray(np.clip(value, self.minimum, self.maximum))

    def shares_up_to(self, values: FloatArray) -> FloatArray:
        """Return the share of values that are not above each, exact at the edges and a straight line between them.

        Parameters
        ----------
        values : ndarray of shape (m,)

        Returns
        -------
        ndarray of shape (m,), in [0, 1]
            `nan` where the profile has no values.
        """
        if self.present == 0:
            return np.full(values.size, np.nan)
        cumulative = np.concatenate([[0], np.cumsum(self.counts)]) / self.present
        return np.interp(values, self.boundaries(), cumulative, left=0.0, right=1.0)

    def brackets(self, probability: float) -> bool:
        """Return whether a quantile lies between two edges: beyond the outermost nothing is known but the extremes."""
        first, last = int(self.counts[0]), int(self.counts[-1])
        inside = first < probability * self.present <= self.present - last
        return inside or (self.present > 0 and self.minimum == self.maximum)

    def merge(self, other: Self) -> Self:
        """Return the profile of both windows together.

        Raises
        ------
        ValueError
            If the two were counted over different bins.
        """
        if not self.edges.same_as(other.edges):
            raise ValueError("numeric profiles over different bins cannot be merged")
        return type(self)(
            edges=self.edges,
            counts=self.counts + other.counts,
            absent=self.absent + other.absent,
            repaired=self.repaired + other.repaired,
            sums_centred=self.sums_centred + other.sums_centred,
            squares_centred=self.squares_centred + other.squares_centred,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            days=merge_days(self.days, other.days),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, without the edges."""
        return {
            "counts": self.counts.tolist(),
            "absent": self.absent.tolist(),
            "repaired": self.repaired,
            "sums_centred": self.sums_centred.tolist(),
            "squares_centred": self.squares_centred,
            "minimum": self.minimum if self.present else None,
            "maximum": self.maximum if self.present else None,
            "days": days_to_dict(self.days),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], edges: NumericEdges) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            edges=edges,
            counts=np.asarray(values["counts"], dtype=np.int64),
            absent=np.asarray(values["absent"], dtype=np.int64),
            repaired=int(values["repaired"]),
            sums_centred=np.asarray(values["sums_centred"], dtype=np.float64),
            squares_centred=float(values["squares_centred"]),
            minimum=math.inf if values["minimum"] is None else float(values["minimum"]),
            maximum=-math.inf if values["maximum"] is None else float(values["maximum"]),
            days=days_from_dict(values["days"]),
        )
