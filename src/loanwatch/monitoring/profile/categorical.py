"""The profile of one categorical column."""

import zlib
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Self

import numpy as np

from loanwatch.monitoring.profile.days import DayCounts, days_from_dict, days_to_dict, merge_days
from loanwatch.monitoring.profile.edges import CategoricalEdges
from loanwatch.records import record
from loanwatch.statistics import CountArray

__all__ = ["CategoricalProfile", "keep_sample"]

_SAMPLED_OTHERS = 50


@record(eq=False)
class CategoricalProfile:
    """Counts of a categorical column over one window."""

    edges: CategoricalEdges
    counts: CountArray
    """Rows of each category of the edges, and at the end rows of all others: shape (n_categories + 1,)."""
    absent: CountArray
    """Rows without a value: missing, sentinel, out_of_range, unreadable."""
    others: Mapping[str, int] = field(default_factory=dict)
    """Exact rows of the other categories: all of them up to 50, beyond that a fixed sample of 50."""
    repaired: int = 0
    """Rows whose value was respelled on reading."""
    days: DayCounts = field(default_factory=dict)

    @cached_property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @cached_property
    def missing(self) -> int:
        """Rows without a value, whatever the reason."""
        return int(self.absent.sum())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.present + self.missing

    @property
    def value_groups(self) -> CountArray:
        """Rows of each category, and last those of categories that the edges do not name."""
        return self.counts

    def share(self, category: str) -> float:
        """Return the share of a category of the edges among the rows with a value; 0 without any."""
        position = self.edges.categories.index(category)
        return float(self.counts[position]) / self.present if self.present else 0.0

    def unseen(self, reference: "CategoricalProfile") -> dict[str, int]:
        """Return categories that a reference over the same edges never held, with their rows, as far as sampled."""
        known = zip(self.edges.categories, self.counts.tolist(), reference.counts.tolist(), strict=False)
        unseen = {name: rows for name, rows, before in known if rows and not before}
        sampled = self.sampled_beside(reference)
        others = self.others if sampled is None else sampled
        return unseen | {n: self.others[n] for n in others if n in self.others and n not in reference.others}

    def unseen_rows(self, reference: "CategoricalProfile") -> int:
        """Return the rows with categories that a reference never held; 0 for the others if it held too many to name."""
        named = int(self.counts[:-1][reference.counts[:-1] == 0].sum())
        if reference.counts[-1] == 0:
            return named + int(self.counts[-1])
        if len(reference.others) == _SAMPLED_OTHERS or len(self.others) == _SAMPLED_OTHERS:
            return named
        return named + sum(rows for name, rows in self.others.items() if name not in reference.others)

    def estimated_unseen_rows(self, reference: "CategoricalProfile") -> int:
        """Return the rows with categories that a reference never held, those of a sample standing for the others'."""
        rows, sampled = self.unseen_rows(reference), self.sampled_beside(reference) or {}
        seen = sum(now for _, now in sampled.values())
        unseen = sum(now for before, now in sampled.values() if not before)
        return rows + (round(int(self.counts[-1]) * unseen / seen) if seen else 0)

    def sampled_beside(self, reference: "CategoricalProfile") -> dict[str, tuple[int, int]] | None:
        """Return rows of reference and window in each category of which both know how many there are.

        A fixed sample of the categories that the edges do not name; None where all of them are counted.
        """
        samples = (reference.others, self.others)
        full = [sample for sample in samples if len(sample) == _SAMPLED_OTHERS]
        if not full or not reference.counts[-1]:
            return None
        # A full sample knows no category that comes after its last.
        last = min(max(map(_place, sample)) for sample in full)
        names = sorted(name for name in samples[0].keys() | samples[1].keys() if _place(name) <= last)
        return {name: (samples[0].get(name, 0), samples[1].get(name, 0)) for name in names}

    @property
    def lone_rows(self) -> int:
        """Rows that no other row shares its category with, as far as `unseen_rows` looks.

        Held against all other rows of the window, so many of it are unseen (Good 1953): as many of a window of the
        same population will be.
        """
        named = int(np.count_nonzero(self.counts[:-1] == 1))
        if len(self.others) == _SAMPLED_OTHERS:
            return named
        return named + sum(rows == 1 for rows in self.others.values())

    def merge(self, other: Self) -> Self:
        """Return the profile of both windows together.

        Raises
        ------
        ValueError
            If the two were counted over different categories.
        """
        if not self.edges.same_as(other.edges):
            raise ValueError("categorical profiles over different categories cannot be merged")
        names = self.others.keys() | other.others.keys()
        return type(self)(
            edges=self.edges,
            counts=self.counts + other.counts,
            absent=self.absent + other.absent,
            others=keep_sample({name: self.others.get(name, 0) + other.others.get(name, 0) for name in names}),
            repaired=self.repaired + other.repaired,
            days=merge_days(self.days, other.days),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, without the edges."""
        return {
            "counts": self.counts.tolist(),
            "absent": self.absent.tolist(),
            "others": dict(self.others),
            "repaired": self.repaired,
            "days": days_to_dict(self.days),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], edges: CategoricalEdges) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        return cls(
            edges=edges,
            counts=np.asarray(values["counts"], dtype=np.int64),
            absent=np.asarray(values["absent"], dtype=np.int64),
            others={str(name): int(rows) for name, rows in values["others"].items()},
            repaired=int(values["repaired"]),
            days=days_from_dict(values["days"]),
        )


def keep_sample(others: Mapping[str, int]) -> dict[str, int]:
    """Keep the categories with the 50 smallest checksums.

    Every part of a window that holds one of them keeps it too, so that counts stay exact and merging associative
    (bottom-k sampling, Cohen and Kaplan 2007), which the most frequent ones would not allow.
    """
    return {name: others[name] for name in sorted(others, key=_place)[:_SAMPLED_OTHERS]}


def _place(name: str) -> tuple[int, str]:
    return zlib.crc32(name.encode("utf-8", "surrogatepass")), name
