"""Features, label, calibrated probability and time of the same applications."""

from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.errors import LoanwatchError
from loanwatch.monitoring.scored_arrays import checked_probabilities
from loanwatch.records import record

__all__ = ["ScoredWindow"]

_LABEL, _PROBABILITY, _TIME = "__label__", "__probability__", "__time__"
_PLENTY, _TIMES_AS_MANY = 10_000, 2
_RESERVED = (_LABEL, _PROBABILITY, _TIME)


@record(eq=False)
class ScoredWindow:
    """What the checks of performance and concept drift look at.

    Raises
    ------
    LoanwatchError
        If the lengths differ, a probability is outside [0, 1], or a label is neither 0, 1 nor unknown.

    Examples
    --------
    >>> window = ScoredWindow(
    ...     frame=pl.DataFrame({"annual_income": [40_000.0, None]}),
    ...     label=np.array([1.0, np.nan]),
    ...     probability=np.array([0.8, 0.4]),
    ...     time=np.array(["2026-03-01", "2026-03-02"], dtype="datetime64[us]"),
    ... )
    >>> window.rows, window.labelled().rows
    (2, 1)
    """

    frame: pl.DataFrame
    """The cleaned features: typed values, null where not known; n rows."""
    label: NDArray[np.float64]
    """Shape (n,): 1.0 for the contract's positive label, 0.0 for the negative, nan where not known."""
    probability: NDArray[np.float64]
    """Shape (n,), in [0, 1]: the deployed model's calibrated P(positive)."""
    time: NDArray[np.datetime64]
    """Shape (n,), datetime64[us], in UTC: when the application was made."""

    def __post_init__(self) -> None:
        probability = checked_probabilities(self.probability)
        label = np.asarray(self.label, dtype=np.float64)
        time = np.asarray(self.time).astype("datetime64[us]")
        lengths = {"frame": self.frame.height, "label": label.size, "time": time.size}
        for name, length in lengths.items():
            if length != probability.size:
                raise LoanwatchError(f"scored window: {name} has {length} rows, probability has {probability.size}")
        wrong = ~(np.isnan(label) | (label == 0.0) | (label == 1.0))
        if wrong.any():
            row = int(wrong.argmax())
            raise LoanwatchError(f"scored window: label {label[row]} of row {row} is neither 0, 1 nor unknown (nan)")
        for name, values in (("label", label), ("probability", probability), ("time", time)):
            object.__setattr__(self, name, values)

    @property
    def rows(self) -> int:
        """Number of applications."""
        return self.frame.height

    @property
    def has_label(self) -> NDArray[np.bool_]:
        """Shape (n,): where the label is known."""
        known: NDArray[np.bool_] = ~np.isnan(self.label)
        return known

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Shape (n,): where the label is known and positive."""
        positive: NDArray[np.bool_] = self.label == 1.0
        return positive

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """Return the applications for which `mask` is true."""
        return type(self)(
            frame=self.frame.filter(pl.Series(mask)),
            label=self.label[mask],
            probability=self.probability[mask],
            time=self.time[mask],
        )

    def labelled(self) -> Self:
        """Return the applications whose label is known."""
        known = self.has_label
        return self if known.all() else self.where(known)

    def thinned(self, rows: int) -> Self:
        """Return at most so many applications, evenly taken; all of them where there are no more."""
        if self.rows <= rows:
            return self
        kept = np.zeros(self.rows, dtype=np.bool_)
        kept[np.linspace(0, self.rows - 1, rows).astype(np.intp)] = True
        return self.where(kept)

    def beside(self, other: "ScoredWindow") -> Self:
        """Return as many applications, evenly taken, as a comparison with another window can use.

        Twice the other's rows, and 10,000 at least: with all there are, the standard error of a difference would be
        smaller by less than a fifth, at a price that grows without bound.
        """
        return self.thinned(max(_PLENTY, _TIMES_AS_MANY * other.rows))

    def to_frame(self) -> pl.DataFrame:
        """Return one frame with the features and three columns more, as Parquet can hold it.

        Raises
        ------
        LoanwatchError
            If a feature bears the name of one of the three.
        """
        if taken := [name for name in _RESERVED if name in self.frame.columns]:
            raise LoanwatchError(f"scored window: a feature may not be called {taken[0]}")
        return self.frame.with_columns(
            pl.Series(_LABEL, self.label).fill_nan(None),
            pl.Series(_PROBABILITY, self.probability),
            pl.Series(_TIME, self.time),
        )

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Self:
        """Rebuild what `to_frame` returned.

        Raises
        ------
        LoanwatchError
            If one of the three columns is missing.
        """
        if missing := [name for name in _RESERVED if name not in frame.columns]:
            raise LoanwatchError(f"scored window: column {missing[0]} is missing")
        label = frame[_LABEL].cast(pl.Float64).to_numpy()
        return cls(
            frame=frame.drop(_RESERVED),
            label=label,
            probability=frame[_PROBABILITY].to_numpy(),
            time=frame[_TIME].dt.replace_time_zone(None).cast(pl.Datetime("us")).to_numpy(),
        )
