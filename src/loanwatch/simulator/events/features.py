"""Events that move the applicants: P(features) changes, the relation to the label does not."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.simulator.batch import Batch
from loanwatch.simulator.dependence import DEPENDENT, flipped_loading
from loanwatch.simulator.events.base import Event, FeatureEvent
from loanwatch.simulator.marginals import CATEGORICAL, NUMERIC

__all__ = ["NUMBERS", "CorrelationFlip", "FeatureShift", "MissingShift", "MixShift", "NewCategory"]

_COUNTS = ("tax_liens", "no_of_properties", "no_of_cars", "no_of_children", "no_of_credit_problems", "bankruptcies")
NUMBERS = (*NUMERIC, *_COUNTS)
_RANGES = {"credit_score": (300.0, 850.0), "years_of_credit_history": (0.0, 100.0)}


@record
class FeatureShift(FeatureEvent):
    """The true values of a numeric column become `value * factor + offset`."""

    kind: ClassVar[str] = "feature_shift"
    column: str
    factor: float = 1.0
    offset: float = 0.0

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column in NUMBERS, "column", f"one of {', '.join(NUMBERS)}")
        self.require(np.isfinite(self.factor) and self.factor > 0, "factor", "a number above 0")
        self.require(bool(np.isfinite(self.offset)), "offset", "a number")
        self.require((self.factor, self.offset) != (1, 0), "factor", "a factor or an offset that changes something")

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:  # noqa: ARG002
        """Move the active rows; values stay within the column's valid range and keep its decimals."""
        values = batch.numbers[self.column]
        decimals = NUMERIC[self.column].decimals if self.column in NUMERIC else 0
        low, high = _RANGES.get(self.column, (0.0, np.inf))
        moved = np.round(values[active] * self.factor + self.offset, decimals)
        values[active] = np.clip(moved, low, high)


@record
class MixShift(FeatureEvent):
    """A category's share among the known values rises (or falls) by `points` percentage points.

    The other categories give way (or gain) in proportion to their shares.
    """

    kind: ClassVar[str] = "mix_shift"
    column: str
    category: str
    points: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column in CATEGORICAL, "column", f"one of {', '.join(CATEGORICAL)}")
        marginal = CATEGORICAL[self.column]
        self.require(self.category in marginal.categories, "category", f"one of {', '.join(marginal.categories)}")
        share = 100 * float(marginal.shares[marginal.categories.index(self.category)])
        self.require(
            self.points != 0 and 0 <= share + self.points <= 100, "points", f"{-share:.1f} … {100 - share:.1f}"
        )

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Move rows of the other categories to this one, or the other way."""
        marginal, codes = CATEGORICAL[self.column], batch.codes[self.column]
        code = batch.code_of(self.column, self.category)
        share = float(marginal.shares[code])
        uniform = rng.random(batch.rows)
        if self.points > 0:
            gain = self.points / 100 / (1 - share)
            codes[active & (codes >= 0) & (codes != code) & (uniform < gain)] = code
            return
        leaving = active & (codes == code) & (uniform < -self.points / 100 / share)
        others = marginal.shares.copy()
        others[code] = 0
        codes[leaving] = rng.choice(len(others), size=int(leaving.sum()), p=others / others.sum())


@record
class NewCategory(FeatureEvent):
    """A category nobody has seen takes `share` of the known values; on its own it says nothing about the label."""

    kind: ClassVar[str] = "new_category"
    column: str
    category: str
    share: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column in CATEGORICAL, "column", f"one of {', '.join(CATEGORICAL)}")
        known = CATEGORICAL[self.column].categories
        self.require(self.category not in known and bool(self.category), "category", "a category that is not there yet")
        self.require(0 < self.share < 1, "share", "a share between 0 and 1")

    def apply(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator) -> None:
        """Give active rows the new category."""
        codes, code = batch.codes[self.column], batch.code_of(self.column, self.category)
        codes[active & (codes >= 0) & (rng.random(batch.rows) < self.share)] = code


@record
class MissingShift(Event):
    """The share of rows in which a column is not known rises to `rate`, for reasons that have nothing to do with it."""

    kind: ClassVar[str] = "missing_shift"
    touches: ClassVar[str] = "quality"
    column: str
    rate: float

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        columns = (*NUMBERS, *CATEGORICAL)
        self.require(self.column in columns, "column", f"one of {', '.join(columns)}")
        self.require(0 < self.rate <= 1, "rate", "a share between 0 and 1")

    def check_against(self, base_rate: float) -> None:
        """Raise ContractError where more than `rate` of the column is missing in this population anyway."""
        self.require(self.rate > base_rate, "rate", f"above {base_rate:.3f}, the share that is missing anyway")

    def hide_more(self, batch: Batch, active: NDArray[np.bool_], rng: np.random.Generator, *, base_rate: float) -> None:
        """Hide known values of the active rows, so that missing moves from `base_rate` to `rate`."""
        uniform = rng.random(batch.rows)
        batch.hide(self.column, active & (uniform < (self.rate - base_rate) / (1 - base_rate)))


@record
class CorrelationFlip(Event):
    """The correlation of two columns changes sign while the distribution of every single column stays."""

    kind: ClassVar[str] = "correlation_flip"
    touches: ClassVar[str] = "features"
    column_a: str
    column_b: str

    def check(self) -> None:
        """Raise ContractError if a parameter cannot be used."""
        self.require(self.column_a != self.column_b, "column_b", "another column than column_a")
        flipped_loading(self.column_a, self.column_b)

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns of the pair."""
        return (self.column_a, self.column_b)

    def redraw(self, scores: NDArray[np.float64], active: NDArray[np.bool_]) -> None:
        """Replace the normal scores of `column_b` in the active rows; its own part is kept.

        Parameters
        ----------
        scores : ndarray of shape (n, n_dependent)
            Dependent normal scores, edited in place.
        active : ndarray of shape (n,), bool
        """
        w_before, s_before, w_after, s_after = flipped_loading(self.column_a, self.column_b)
        j, rows = DEPENDENT.index(self.column_b), scores[active]
        own = (rows[:, j] - rows @ w_before) / s_before
        scores[active, j] = rows @ w_after + s_after * own
