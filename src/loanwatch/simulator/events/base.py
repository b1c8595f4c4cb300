"""What all planted events share: when they happen, and what is known about them."""

from abc import ABC, abstractmethod
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ContractError
from loanwatch.records import record
from loanwatch.simulator.batch import Batch

__all__ = ["Event", "FeatureEvent", "FeedEvent", "as_utc"]


def as_utc(moment: date) -> datetime:
    """Return a date or datetime as an aware datetime; without a zone it is read as UTC.

    >>> as_utc(date(2024, 1, 1)).isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    if isinstance(moment, datetime):
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


@record
class Event(ABC):
    """Something planted in [start, end). Without a start it has always been so, without an end it stays."""

    kind: ClassVar[str]
    """The event's name in a schedule file."""
    touches: ClassVar[str]
    """What really changes: `features`, `relation`, `label` or `quality`."""

    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            moment = getattr(self, name)
            if moment is not None and not isinstance(moment, date):
                raise ContractError(f"event {self.kind}: {name} is a date or a date and time, got {moment!r}")
        if self.start and self.end and as_utc(self.start) >= as_utc(self.end):
            raise ContractError(f"event {self.kind}: start {self.start} is not before end {self.end}")
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a perfect check would name."""
        return (self.column,) if hasattr(self, "column") else ()

    def active(self, seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which moments (seconds since 1970, UTC) lie in [start, end)."""
        inside = np.ones(len(seconds), dtype=np.bool_)
        if self.start is not None:
            inside &= seconds >= as_utc(self.start).timestamp()
        if self.end is not None:
            inside &= seconds < as_utc(self.end).timestamp()
        return inside

    def describe(self) -> dict[str, Any]:
        """Return the known truth in built-in types, ready for JSON."""
        values = {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}
        return {"kind": self.kind, "touches": self.touches, "columns": list(self.columns), **values}

    def require(self, condition: bool, key: str, expected: str) -> None:
        """Raise ContractError naming the key unless the condition holds."""
        if not condition:
            raise ContractError(f"event {self.kind}: {key}: expected {expected}, got {getattr(self, key)!r}")


class FeatureEvent(Event):
    """An event that changes the applicants themselves; the label follows by the old relation."""

    touches: ClassVar[str] = "features"

    @abstractmethod
    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Edit the active rows of `batch` in place."""


class FeedEvent(Event):
    """An event that changes only what is recorded, after the label was decided on the true values."""

    touches: ClassVar[str] = "quality"

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Edit the active rows of `batch` in place; the default leaves the values alone."""
