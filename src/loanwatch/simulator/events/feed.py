"""Events that break the delivery: the applicants and the label are as ever, the records are not."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.simulator.batch import Batch
from loanwatch.simulator.events.base import FeedEvent
from loanwatch.simulator.events.features import NUMBERS
from loanwatch.simulator.marginals import CATEGORICAL

__all__ = ["DuplicateFeed", "LateData", "NullFeed", "UnitChange"]


@record
class UnitChange(FeedEvent):
    """A numeric column arrives in another unit: every value is multiplied by `factor`."""

    kind: ClassVar[str] = "unit_change"
    column: str
    factor: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column in NUMBERS, "column", f"one of {', '.join(NUMBERS)}")
        self.require(np.isfinite(self.factor) and self.factor > 0 and self.factor != 1, "factor", "above 0 and not 1")

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:  # noqa: ARG002
        """Multiply the recorded values of the active rows."""
        batch.numbers[self.column][active] *= self.factor


@record
class NullFeed(FeedEvent):
    """A share of a column's known values arrives empty."""

    kind: ClassVar[str] = "null_feed"
    column: str
    share: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        columns = (*NUMBERS, *CATEGORICAL)
        self.require(self.column in columns, "column", f"one of {', '.join(columns)}")
        self.require(0 < self.share <= 1, "share", "a share between 0 and 1")

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Empty recorded values of the active rows."""
        batch.hide(self.column, active & (rng.random(batch.rows) < self.share))


@record
class DuplicateFeed(FeedEvent):
    """A share of the loan rows is delivered twice, word for word."""

    kind: ClassVar[str] = "duplicate_feed"
    share: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(0 < self.share <= 1, "share", "a share between 0 and 1")


@record
class LateData(FeedEvent):
    """A share of the applications reaches the source `days` late, or never where `days` is None.

    What has not arrived by the end of the simulated period is not in the tables; `share` 1 with `days` None makes
    missing days.
    """

    kind: ClassVar[str] = "late_data"
    days: float | None = None
    share: float = 1.0

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(0 < self.share <= 1, "share", "a share between 0 and 1")
        self.require(self.days is None or (bool(np.isfinite(self.days)) and self.days > 0), "days", "days above 0")
