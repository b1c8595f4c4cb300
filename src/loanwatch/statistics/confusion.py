"""The four counts of a decision against the truth, and the shares made from them."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record

__all__ = ["Confusion", "confusion"]


@record
class Confusion:
    """Counts of rows by decision and truth. Shares of nothing are `nan`."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def total(self) -> int:
        """All rows."""
        return self.true_positive + self.false_positive + self.false_negative + self.true_negative

    @property
    def correct(self) -> int:
        """Rows decided as they turned out."""
        return self.true_positive + self.true_negative

    @property
    def predicted_positive(self) -> int:
        """Rows decided positive."""
        return self.true_positive + self.false_positive

    @property
    def positive(self) -> int:
        """Rows that turned out positive."""
        return self.true_positive + self.false_negative

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall."""
        denominator = self.predicted_positive + self.positive
        return 2.0 * self.true_positive / denominator if denominator else float("nan")


def confusion(label: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Confusion:
    """Count the rows by decision and truth.

    Examples
    --------
    >>> confusion(np.array([True, True, False]), np.array([True, False, True])).f1
    0.5
    """
    label, predicted = np.asarray(label, dtype=bool), np.asarray(predicted, dtype=bool)
    true_positive = int((label & predicted).sum())
    false_positive, false_negative = int(predicted.sum()) - true_positive, int(label.sum()) - true_positive
    return Confusion(
        true_positive=true_positive,
        false_positive=false_positive,
        false_negative=false_negative,
        true_negative=label.size - true_positive - false_positive - false_negative,
    )
