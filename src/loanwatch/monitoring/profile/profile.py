"""The profile of a window: all that the drift checks ever need of its rows."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Self

from loanwatch.monitoring.profile.categorical import CategoricalProfile
from loanwatch.monitoring.profile.edges import CategoricalEdges, NumericEdges, ProfileEdges
from loanwatch.monitoring.profile.moments import ScoreMoments
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.records import record

__all__ = ["ColumnProfile", "Profile"]

ColumnProfile = NumericProfile | CategoricalProfile


@record(eq=False)
class Profile:
    """Mergeable counts of a window: profile(A ∪ B) = profile(A).merge(profile(B)), exactly for counts."""

    rows: int
    columns: Mapping[str, ColumnProfile]
    moments: ScoreMoments | None = None
    """Correlations of the numeric columns' normal scores."""
    label: CategoricalProfile | None = None
    score: NumericProfile | None = None
    unprofiled: tuple[str, ...] = field(default=())
    """Columns that the contract names and the window does not have."""

    @property
    def edges(self) -> ProfileEdges:
        """The bins, to count another window over them."""
        return ProfileEdges(
            columns={name: column.edges for name, column in self.columns.items()},
            score=self.score.edges if self.score else None,
        )

    @property
    def dates(self) -> tuple[str, ...]:
        """ISO dates on which there are rows, in order; empty when the rows carry no time."""
        return tuple(sorted({date for column in self.columns.values() for date in column.days}))

    def merge(self, other: Self) -> Self:
        """Return the profile of both windows together.

        A column, the label, the score or the correlations that only one of the two has are dropped: they would not
        speak of all rows.

        Raises
        ------
        ValueError
            If a column was counted over different bins; names the column.
        """
        moments = self.moments.merge(other.moments) if self.moments and other.moments else None
        return type(self)(
            rows=self.rows + other.rows,
            columns={
                name: _merge(name, column, other.columns[name])
                for name, column in self.columns.items()
                if name in other.columns
            },
            moments=moments,
            label=self.label.merge(other.label) if self.label and other.label else None,
            score=self.score.merge(other.score) if self.score and other.score else None,
            unprofiled=tuple(sorted({*self.unprofiled, *other.unprofiled})),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "rows": self.rows,
            "edges": self.edges.to_dict(),
            "columns": {name: column.to_dict() for name, column in self.columns.items()},
            "moments": self.moments.to_dict() if self.moments else None,
            "label": {**self.label.to_dict(), "categories": list(self.label.edges.categories)} if self.label else None,
            "score": self.score.to_dict() if self.score else None,
            "unprofiled": list(self.unprofiled),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        edges = ProfileEdges.from_dict(values["edges"])
        label = values["label"]
        return cls(
            rows=int(values["rows"]),
            columns={name: _column_from_dict(v, edges.columns[name]) for name, v in values["columns"].items()},
            moments=ScoreMoments.from_dict(values["moments"]) if values["moments"] else None,
            label=CategoricalProfile.from_dict(label, CategoricalEdges(categories=tuple(label["categories"])))
            if label
            else None,
            score=NumericProfile.from_dict(values["score"], edges.score) if edges.score else None,
            unprofiled=tuple(values["unprofiled"]),
        )


def _merge(name: str, first: ColumnProfile, second: ColumnProfile) -> ColumnProfile:
    try:
        if isinstance(first, NumericProfile) and isinstance(second, NumericProfile):
            return first.merge(second)
        if isinstance(first, CategoricalProfile) and isinstance(second, CategoricalProfile):
            return first.merge(second)
    except ValueError as error:
        raise ValueError(f"column {name}: {error}") from error
    raise ValueError(f"column {name}: numeric in one profile, categorical in the other")


def _column_from_dict(values: Mapping[str, Any], edges: NumericEdges | CategoricalEdges) -> ColumnProfile:
    if isinstance(edges, NumericEdges):
        return NumericProfile.from_dict(values, edges)
    return CategoricalProfile.from_dict(values, edges)
