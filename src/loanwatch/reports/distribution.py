"""Both windows of a column over the same bins, read from what a drift finding recorded."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loanwatch.monitoring import Finding
from loanwatch.records import record

__all__ = ["Bin", "Distribution", "Shares", "distribution_of"]

MAXIMUM_BINS = 40
"""More bars than this are thinner than a line on a phone; neighbours are added up."""

MAXIMUM_CATEGORIES = 12


@record
class Shares:
    """A named share of rows in both windows, in [0, 1]."""

    name: str
    reference: float
    current: float


@record
class Bin:
    """An interval of values and its share of the rows with a value, in both windows."""

    lower: float
    upper: float
    reference: float
    current: float
    is_first: bool = False
    is_last: bool = False

    def named(self, number: Callable[[float], str]) -> str:
        """Return which values it holds; the outer ones hold all that lies beyond, too."""
        if self.is_first and self.is_last:
            return "all values"
        if self.is_first:
            return f"up to {number(self.upper)}"
        return f"above {number(self.lower)}" if self.is_last else f"{number(self.lower)} to {number(self.upper)}"


@record
class Distribution:
    """A column in the reference and in the current window; either bins or categories, or neither."""

    bins: tuple[Bin, ...] = ()
    categories: tuple[Shares, ...] = ()
    absent: tuple[Shares, ...] = ()
    """Shares of all rows without a value, by reason; only reasons that occur."""
    quantiles: tuple[Shares, ...] = ()
    """Values, not shares, of quartiles and mean."""


def distribution_of(finding: Finding) -> Distribution | None:
    """Return the distributions that a finding recorded; None where it recorded none that can be read.

    A report is also made of runs that older versions recorded, so that nothing is taken for granted here.
    """
    details = finding.details
    distribution = Distribution(
        bins=_bins(details.get("histogram")),
        categories=_categories(details.get("categories")),
        absent=_absent(details),
        quantiles=_quantiles(details),
    )
    return distribution if distribution.bins or distribution.categories or distribution.absent else None


def _bins(histogram: object) -> tuple[Bin, ...]:
    if not isinstance(histogram, Mapping):
        return ()
    boundaries = _numbers(histogram.get("boundaries"))
    reference, current = _numbers(histogram.get("reference")), _numbers(histogram.get("current"))
    if not len(boundaries) - 1 == len(reference) == len(current) or not reference:
        return ()
    step = math.ceil(len(reference) / MAXIMUM_BINS)
    return tuple(
        Bin(
            lower=boundaries[at],
            upper=boundaries[min(at + step, len(reference))],
            reference=sum(reference[at : at + step]),
            current=sum(current[at : at + step]),
            is_first=at == 0,
            is_last=at + step >= len(reference),
        )
        for at in range(0, len(reference), step)
    )


def _categories(rows: object) -> tuple[Shares, ...]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return ()
    shares = [_shares(str(row["name"]), row) for row in rows if isinstance(row, Mapping) and "name" in row]
    known = [s for s in shares if s is not None]
    kept, rest = known[:MAXIMUM_CATEGORIES], known[MAXIMUM_CATEGORIES:]
    if rest:
        total = Shares(
            name=f"{len(rest):,} more",
            reference=sum(s.reference for s in rest),
            current=sum(s.current for s in rest),
        )
        return (*kept, total)
    return tuple(kept)


def _absent(details: Mapping[str, Any]) -> tuple[Shares, ...]:
    """Turn the counts by reason into shares of all rows, scaled to the missing rate."""
    rates, counts = _shares("missing", details.get("missing_rate")), details.get("absent")
    reasons = [_shares(str(name), row) for name, row in counts.items()] if isinstance(counts, Mapping) else []
    known = [s for s in reasons if s is not None and s.reference + s.current > 0]
    if rates is None or not known:
        return (rates,) if rates is not None and rates.reference + rates.current > 0 else ()
    before, now = sum(s.reference for s in known), sum(s.current for s in known)
    return tuple(
        Shares(
            name=s.name,
            reference=rates.reference * s.reference / before if before else 0.0,
            current=rates.current * s.current / now if now else 0.0,
        )
        for s in known
    )


def _quantiles(details: Mapping[str, Any]) -> tuple[Shares, ...]:
    quantiles = details.get("quantiles")
    named = quantiles if isinstance(quantiles, Mapping) else {}
    wanted = {"0.25": "lower quartile", "0.5": "median", "0.75": "upper quartile"}
    rows = [_shares(title, named.get(key)) for key, title in wanted.items()]
    return tuple(row for row in (*rows, _shares("mean", details.get("mean"))) if row is not None)


def _shares(name: str, row: object) -> Shares | None:
    if not isinstance(row, Mapping):
        return None
    pair = _numbers([row.get("reference"), row.get("current")])
    return Shares(name=name, reference=pair[0], current=pair[1]) if len(pair) == 2 else None


def _numbers(values: object) -> list[float]:
    """Return finite numbers; an empty list if any is not."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return []
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        return []
    return [float(v) for v in values]
