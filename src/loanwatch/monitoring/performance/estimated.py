"""Performance before labels arrive: what it must be if the probabilities still mean what they say."""

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring.performance.expected import estimate_accuracy, estimate_auc
from loanwatch.monitoring.performance.holdout import HoldOut
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.estimate import Estimate, normal_estimate

__all__ = ["EstimatedPerformance", "estimate_accuracy", "estimate_auc", "estimate_performance"]


@record
class EstimatedPerformance:
    """What the labels of a window will show if the relation is still the hold-out's."""

    auc: Estimate
    auc_before: Estimate
    """Realised on the hold-out."""
    accuracy: Estimate


def estimate_performance(
    reference: ScoredWindow, current: ScoredWindow, contract: Contract, *, hold_out: HoldOut | None = None
) -> EstimatedPerformance:
    """Estimate the window's AUC and accuracy without its labels.

    Realised on the hold-out + (expected in the window − expected in the hold-out), where what is expected comes from
    the hold-out's own relation of score and features to the label: what the model gets wrong for some applicants counts
    more where there are more of them, and what the correction gets wrong in both windows cancels.

    Parameters
    ----------
    reference : ScoredWindow
        The deployed model's hold-out, labelled, with both classes.
    current : ScoredWindow
        Its labels are not looked at.
    contract : Contract
        Names the predictors.
    hold_out : HoldOut, optional
        What is known of the reference; found out where not given.
    """
    known = hold_out or HoldOut.of(reference, contract)
    expected = known.relation.probability(current)
    auc = estimate_auc(current.probability, expected=expected, extra_error=known.auc.standard_error)
    accuracy = estimate_accuracy(current.probability, expected=expected, extra_error=known.accuracy.standard_error)
    return EstimatedPerformance(
        auc=_moved(auc, known.auc.value - known.expected_auc),
        auc_before=known.auc,
        accuracy=_moved(accuracy, known.accuracy.value - known.expected_accuracy),
    )


def _moved(estimate: Estimate, by: float) -> Estimate:
    return normal_estimate(
        float(np.clip(estimate.value + by, 0.0, 1.0)), estimate.standard_error, minimum=0.0, maximum=1.0
    )
