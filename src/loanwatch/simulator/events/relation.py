"""Events that change how the label follows from the features."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.simulator.events.base import Event, as_utc
from loanwatch.simulator.relation import RELATED

__all__ = ["PriorShift", "RelationChange"]

_SECONDS_A_DAY = 86_400


@record
class RelationChange(Event):
    """A column's effect on the label is multiplied by `strength`; P(features) does not change.

    `strength` 0.5 halves the effect, 0 removes it, -1 turns it round.
    """

    kind: ClassVar[str] = "relation_change"
    touches: ClassVar[str] = "relation"
    column: str
    strength: float
    over_days: float = 0.0
    """The change comes gradually over this many days from `start`; 0 is abrupt."""
    keep_rate: bool = False
    """Move the intercept along, so that the share given stays."""

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column in RELATED, "column", f"one that has an effect on the label: {', '.join(RELATED)}")
        self.require(bool(np.isfinite(self.strength)) and self.strength != 1, "strength", "a number other than 1")
        self.require(bool(np.isfinite(self.over_days)) and self.over_days >= 0, "over_days", "days, 0 or more")
        self.require(not self.over_days or self.start is not None, "over_days", "0 where the event has no start")

    def multiplier(self, seconds: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factor on the column's effect at each moment; a gradual change moves once a day."""
        active = self.active(seconds)
        progress = np.ones(len(seconds))
        if self.over_days and self.start is not None:
            days = np.floor((seconds - as_utc(self.start).timestamp()) / _SECONDS_A_DAY)
            progress = np.clip(days / self.over_days, 0, 1)
        return np.where(active, 1 + (self.strength - 1) * progress, 1.0)


@record
class PriorShift(Event):
    """The share given moves by `points` percentage points while P(features | label) stays.

    Among all applicants the mix of good and bad ones changes: features and posterior both move, by Bayes' rule.
    """

    kind: ClassVar[str] = "prior_shift"
    touches: ClassVar[str] = "label"
    points: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.points != 0 and abs(self.points) < 100, "points", "percentage points, not 0")

    def new_rate(self, rate: float) -> float:
        """Return the share given after the shift.

        Raises
        ------
        ContractError
            If `rate` plus the points is not a share strictly between 0 and 1.
        """
        after = rate + self.points / 100
        low, high = -100 * rate, 100 * (1 - rate)
        self.require(0 < after < 1, "points", f"between {low:.0f} and {high:.0f}, as {rate:.0%} are given")
        return after

    @property
    def columns(self) -> tuple[str, ...]:
        """Return no column: the label itself moves."""
        return ()
