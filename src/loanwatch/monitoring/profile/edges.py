"""The bins that a reference fixes once, so that every later window is counted over the same ones."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any, Self

import numpy as np
import polars as pl

from loanwatch.records import record
from loanwatch.statistics import CountArray, FloatArray, distinct, normal_scores

__all__ = ["LARGEST", "CategoricalEdges", "NumericEdges", "ProfileEdges", "categorical_edges", "numeric_edges"]

LARGEST = 1e100
"""Values beyond it are no quantities: their squares overflow. They count as absent, like infinities."""

_QUANTILES = 1_000
"""Bins of equal share: KS read at their edges is within 0.001 of the exact one."""
_TAIL_EDGES = 6
"""Edges in each halving of the share that is left of a tail: where values are rare, bins are wide."""
_EXACT_VALUES = 400
"""Columns with at most this many distinct values have a bin for each value and one for each gap between them."""
_EDGE_ROWS = 200_000
"""Values from which the edges are taken, evenly spaced among the sorted ones; counts always come from all rows."""
_DECILES = 10
_KNOWN_CATEGORIES = 250
_CLEARLY_RARER = 3.0
"""Standard deviations of a count that the first category not counted must lie below the last one that is."""
_DAY_CATEGORIES = 11


@record(eq=False)
class NumericEdges:
    """Bins of a numeric column: bin b holds edges[b-1] < x <= edges[b]; the outer bins are open."""

    edges: FloatArray
    """Ascending, shape (n_bins - 1,)."""
    counts: CountArray
    """Rows of the reference in each bin, shape (n_bins,)."""
    centre: float = 0.0
    """Mean of the reference; sums are taken around it, so that squares of large values do not lose digits."""

    @cached_property
    def scores(self) -> FloatArray:
        """Normal score of each bin."""
        return normal_scores(self.counts)

    @cached_property
    def groups(self) -> CountArray:
        """Group of each bin, for PSI and days: deciles; where there are few values, each of them and what is new.

        A bin that the reference has no row in joins the decile it lies in: a sample leaves gaps between the values it
        holds, and another sample of the same population falls into them. Taken together as a group of their own, the
        gaps would be empty in every reference and held by every other window.
        """
        held = self.counts > 0
        n_held = int(held.sum())
        if n_held == 0:
            return np.zeros(self.counts.size, dtype=np.int64)
        if n_held <= _DECILES:
            groups = np.full(self.counts.size, n_held, dtype=np.int64)
            groups[held] = np.arange(n_held)
            return groups
        middle = (np.cumsum(self.counts) - self.counts / 2.0) / self.counts.sum()
        deciles = np.minimum((middle * _DECILES).astype(np.int64), _DECILES - 1)
        taken = distinct(deciles[held])
        return np.asarray(np.searchsorted(taken, deciles, side="right") - 1, dtype=np.int64).clip(min=0)

    @cached_property
    def n_groups(self) -> int:
        """Number of groups, the one for values never seen included."""
        return int(self.groups[self.counts > 0].max(initial=-1)) + 2

    def group_of(self, values: FloatArray) -> CountArray:
        """Return the group of each value, `n_groups` for one that is no number or beyond `LARGEST`."""
        borders = np.flatnonzero(np.diff(self.groups))
        # A handful of comparisons with all rows at once is several times faster than a search for each row.
        part = np.zeros(values.size, dtype=np.uint8)
        for edge in self.edges[borders]:
            part += values > edge
        group_of_part = self.groups[np.append(borders, self.groups.size - 1)]
        groups = group_of_part[part]
        known = np.abs(values) < LARGEST
        return groups if known.all() else np.where(known, groups, self.n_groups)

    def same_as(self, other: "NumericEdges | CategoricalEdges") -> bool:
        """Whether counts over the two can be added and compared."""
        return isinstance(other, NumericEdges) and (
            self is other or (np.array_equal(self.edges, other.edges) and np.array_equal(self.counts, other.counts))
        )

    def parts(self) -> Iterator[bytes]:
        """Yield all that counts over these bins depend on."""
        yield self.edges.astype("<f8").tobytes()
        yield self.counts.astype("<i8").tobytes()
        yield np.float64(self.centre).astype("<f8").tobytes()

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {
            "kind": "numeric",
            "edges": self.edges.tolist(),
            "counts": self.counts.tolist(),
            "centre": self.centre,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            edges=np.asarray(values["edges"], dtype=np.float64),
            counts=np.asarray(values["counts"], dtype=np.int64),
            centre=float(values["centre"]),
        )


@record
class CategoricalEdges:
    """Categories that are counted one by one, the most frequent first."""

    categories: tuple[str, ...]

    @property
    def n_groups(self) -> int:
        """Number of day groups: the most frequent categories, then all others."""
        return min(len(self.categories), _DAY_CATEGORIES) + 1

    @cached_property
    def groups(self) -> CountArray:
        """Day group of each category, and at the end that of all other categories."""
        return np.minimum(np.arange(len(self.categories) + 1), self.n_groups - 1)

    def same_as(self, other: "NumericEdges | CategoricalEdges") -> bool:
        """Whether counts over the two can be added and compared."""
        return isinstance(other, CategoricalEdges) and self.categories == other.categories

    def parts(self) -> Iterator[bytes]:
        """Yield all that counts over these categories depend on."""
        yield from (name.encode("utf-8", "surrogatepass") for name in self.categories)

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {"kind": "categorical", "categories": list(self.categories)}


@record
class ProfileEdges:
    """The bins of all columns of a reference, and of its score."""

    columns: Mapping[str, NumericEdges | CategoricalEdges]
    score: NumericEdges | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hexadecimal: profiles over bins of the same digest can be merged and compared."""
        checksum = sha256()
        for name, edges in sorted({**self.columns, **({"\0score": self.score} if self.score else {})}.items()):
            checksum.update(name.encode("utf-8", "surrogatepass") + b"\0")
            for part in edges.parts():
                checksum.update(len(part).to_bytes(8, "little") + part)
        return checksum.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {
            "columns": {name: edges.to_dict() for name, edges in self.columns.items()},
            "score": self.score.to_dict() if self.score else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            columns={name: _edges_from_dict(v) for name, v in values["columns"].items()},
            score=NumericEdges.from_dict(values["score"]) if values["score"] else None,
        )


def numeric_edges(ordered: FloatArray) -> NumericEdges:
    """Choose the bins of a numeric column.

    Few distinct values: a bin for each and for each gap, so that counts are exact. Otherwise the quantiles k / 1,000,
    and further into both tails six for each halving of the share beyond, where a single bin would be wide; a value
    that fills more than a bin on its own gets one of its own.

    Parameters
    ----------
    ordered : ndarray of shape (n_known,), ascending
        Values below `LARGEST` on either side of 0.
    """
    if ordered.size == 0:
        return NumericEdges(edges=np.empty(0), counts=np.zeros(1, dtype=np.int64))
    sample = ordered[:: max(1, ordered.size // _EDGE_ROWS)]
    starts = np.flatnonzero(np.concatenate([[True], sample[1:] != sample[:-1]]))
    seen, repeats = sample[starts], np.diff(starts, append=sample.size)
    if seen.size <= _EXACT_VALUES:
        own, edges = seen, seen
    else:
        own = seen[repeats > sample.size / _QUANTILES]
        edges = sample[_quantile_positions(sample.size)]
    edges = distinct(np.concatenate([edges, own, np.nextafter(own, -np.inf)]))
    counts = np.bincount(np.searchsorted(edges, sample, side="left"), minlength=edges.size + 1)
    return NumericEdges(edges=edges, counts=counts.astype(np.int64), centre=float(ordered.mean()))


def categorical_edges(values: pl.Series) -> CategoricalEdges:
    """Choose the categories that are counted one by one: all of up to 250, otherwise the clearly most frequent ones.

    Of many categories about equally frequent, those that happen to lead in the reference fall back in the next window.
    Cut off among them, the leaders together would seem to have lost: so the cut is made only where the next category
    is rarer beyond chance.

    Parameters
    ----------
    values : Series of String
    """
    counted = values.drop_nulls().value_counts(name="\0rows")
    ranked = counted.sort("\0rows", values.name, descending=[True, False])
    kept = ranked.height
    if kept > _KNOWN_CATEGORIES:
        rows = ranked["\0rows"].head(_KNOWN_CATEGORIES + 1).cast(pl.Float64).to_numpy()
        clear = np.flatnonzero(rows[:-1] - rows[1:] > _CLEARLY_RARER * np.sqrt(rows[:-1]))
        kept = int(clear[-1]) + 1 if clear.size else 0
    return CategoricalEdges(categories=tuple(ranked[values.name].head(kept).to_list()))


def _quantile_positions(rows: int) -> CountArray:
    inner = np.arange(1, _QUANTILES) / _QUANTILES
    octaves = max(1, int(np.log2(max(rows / _QUANTILES, 2.0))) + 1)
    tail = 1.0 / _QUANTILES / 2.0 ** (np.arange(1, _TAIL_EDGES * octaves + 1) / _TAIL_EDGES)
    probabilities = np.concatenate([tail, inner, 1.0 - tail, [1.0]])
    positions = np.ceil(probabilities * rows).astype(np.int64) - 1
    return np.asarray(np.clip(np.append(positions, 0), 0, rows - 1))


def _edges_from_dict(values: Mapping[str, Any]) -> NumericEdges | CategoricalEdges:
    if values["kind"] == "categorical":
        return CategoricalEdges(categories=tuple(values["categories"]))
    return NumericEdges.from_dict(values)
