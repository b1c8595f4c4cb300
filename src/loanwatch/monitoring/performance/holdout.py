"""What is known of a model's hold-out once and for all, so that no run has to find it out again."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.performance.expected import estimate_accuracy, expected_auc
from loanwatch.monitoring.performance.holdout_relation import HoldOutRelation
from loanwatch.monitoring.performance.metrics import measure_performance
from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.delong import delong_estimate
from loanwatch.statistics.estimate import Estimate
from loanwatch.statistics.mean_loss import brier_losses, log_losses, mean_estimate

__all__ = ["HoldOut"]

_ESTIMATES = ("auc", "brier", "log_loss", "accuracy")


@record
class HoldOut:
    """Realised figures of the hold-out, and its relation between features and label."""

    rows: int
    """With a label."""
    fewest: int
    """Rows of the rarer label."""
    auc: Estimate
    brier: Estimate
    log_loss: Estimate
    accuracy: Estimate
    performance: tuple[Measurement, ...]
    relation: HoldOutRelation
    expected_auc: float
    """That the relation expects of the hold-out itself: what it gets wrong here, it gets wrong in any window."""
    expected_accuracy: float

    @classmethod
    def of(cls, reference: ScoredWindow, contract: Contract) -> Self:
        """Measure a hold-out and fit its relation; at least one labelled row of either class.

        Parameters
        ----------
        reference : ScoredWindow
            Only rows with a label count.
        contract : Contract
            Names the predictors.
        """
        known = reference.labelled()
        positive, probability = known.positive, known.probability
        relation = HoldOutRelation.fit(known, contract)
        expected = relation.probability(known)
        right: NDArray[np.float64] = ((probability >= 0.5) == positive).astype(np.float64)
        return cls(
            rows=known.rows,
            fewest=int(min(positive.sum(), (~positive).sum())),
            auc=delong_estimate(positive, probability),
            brier=mean_estimate(brier_losses(positive, probability)),
            log_loss=mean_estimate(log_losses(positive, probability)),
            accuracy=mean_estimate(right),
            performance=measure_performance(positive, probability),
            relation=relation,
            expected_auc=expected_auc(probability, expected),
            expected_accuracy=estimate_accuracy(probability, expected=expected).value,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "rows": self.rows,
            "fewest": self.fewest,
            **{name: asdict(getattr(self, name)) for name in _ESTIMATES},
            "performance": [each.to_dict() for each in self.performance],
            "relation": self.relation.to_dict(),
            "expected_auc": self.expected_auc,
            "expected_accuracy": self.expected_accuracy,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        estimates = {name: Estimate(**values[name]) for name in _ESTIMATES}
        performance = tuple(Measurement.from_dict(each) for each in values["performance"])
        relation = HoldOutRelation.from_dict(values["relation"])
        return cls(**{**values, **estimates, "performance": performance, "relation": relation})
