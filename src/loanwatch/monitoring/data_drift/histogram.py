"""The figures that a report draws of a column: both windows over the same bins."""

from typing import Any

import numpy as np

from loanwatch.monitoring.profile import REASONS, CategoricalProfile, ColumnProfile, NumericProfile
from loanwatch.statistics import CountArray, FloatArray, shares

__all__ = ["column_details"]

_BARS = 24
_CATEGORIES = 12
_PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


def column_details(reference: ColumnProfile, current: ColumnProfile) -> dict[str, Any]:
    """Return shares, missing rates and, for numbers, quantiles of both windows, of built-in types."""
    details: dict[str, Any] = {
        "missing_rate": {"reference": _rate(reference), "current": _rate(current)},
        "absent": {
            reason: {"reference": int(reference.absent[at]), "current": int(current.absent[at])}
            for at, reason in enumerate(REASONS)
        },
    }
    if isinstance(reference, NumericProfile) and isinstance(current, NumericProfile):
        details |= {"kind": "numeric", "histogram": _histogram(reference, current)}
        known = zip(_PROBABILITIES, _quantiles(reference), _quantiles(current), strict=True)
        details["quantiles"] = {str(p): {"reference": before, "current": now} for p, before, now in known}
        details["mean"] = {"reference": _or_none(reference.mean), "current": _or_none(current.mean)}
    elif isinstance(reference, CategoricalProfile) and isinstance(current, CategoricalProfile):
        details |= {"kind": "categorical", "categories": _categories(reference, current)}
    return details


def _rate(profile: ColumnProfile) -> float | None:
    return profile.missing / profile.rows if profile.rows else None


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _quantiles(profile: NumericProfile) -> list[float | None]:
    known = zip(_PROBABILITIES, profile.quantiles(_PROBABILITIES).tolist(), strict=True)
    return [value if profile.brackets(probability) else None for probability, value in known]


def _histogram(reference: NumericProfile, current: NumericProfile) -> dict[str, list[float]]:
    limits = reference.boundaries(current)
    both = reference.merge(current)
    if both.present == 0:
        return {"boundaries": [], "reference": [], "current": []}
    # Of values beyond the outermost edges nothing is known but how many they are: the outer bars hold them.
    inner = reference.edges.edges
    low = both.quantile(0.005) if both.brackets(0.005) or not inner.size else float(inner[0])
    high = both.quantile(0.995) if both.brackets(0.995) or not inner.size else float(inner[-1])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    bars = np.linspace(low, high, _BARS + 1)
    return {
        "boundaries": [float(b) for b in bars],
        "reference": _rebin(reference.counts, limits, bars),
        "current": _rebin(current.counts, limits, bars),
    }


def _rebin(counts: CountArray, limits: FloatArray, bars: FloatArray) -> list[float]:
    """Share in each bar; the outer bars take what lies beyond them."""
    cumulative = np.concatenate([[0.0], np.cumsum(shares(counts.astype(np.float64)))])
    inner = np.interp(bars[1:-1], limits, cumulative)
    return [float(share) for share in np.diff(np.concatenate([[0.0], inner, [cumulative[-1]]]))]


def _categories(reference: CategoricalProfile, current: CategoricalProfile) -> list[dict[str, Any]]:
    """Return the most frequent categories of both windows, those without a bin of their own too."""
    other = sorted(reference.others.keys() | current.others.keys())
    names = [*reference.edges.categories, *other]
    first, second = (
        np.array([*profile.counts[:-1], *(profile.others.get(name, 0) for name in other)]) / max(profile.present, 1)
        for profile in (reference, current)
    )
    order = np.argsort(-(first + second), kind="stable")[:_CATEGORIES]
    listed = [{"name": names[at], "reference": float(first[at]), "current": float(second[at])} for at in order.tolist()]
    rest = [float(1.0 - sum(row[side] for row in listed)) if listed else 1.0 for side in ("reference", "current")]
    if max(rest) > 1e-9 and reference.present + current.present > 0:
        listed.append({"name": "all others", "reference": max(rest[0], 0.0), "current": max(rest[1], 0.0)})
    return listed
