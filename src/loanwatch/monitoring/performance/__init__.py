"""How well the model does: figures with intervals, realised against the hold-out, estimated without labels."""

from loanwatch.monitoring.performance.check import check
from loanwatch.monitoring.performance.estimated import (
    EstimatedPerformance,
    estimate_accuracy,
    estimate_auc,
    estimate_performance,
)
from loanwatch.monitoring.performance.holdout import HoldOut
from loanwatch.monitoring.performance.holdout_relation import HoldOutRelation
from loanwatch.monitoring.performance.metrics import PERFORMANCE_METRICS, measure_performance

__all__ = [
    "PERFORMANCE_METRICS",
    "EstimatedPerformance",
    "HoldOut",
    "HoldOutRelation",
    "check",
    "estimate_accuracy",
    "estimate_auc",
    "estimate_performance",
    "measure_performance",
]
