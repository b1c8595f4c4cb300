"""How well the model does: figures with intervals, realised against the hold-out, estimated without labels."""

from loanwatch.monitoring.performance.check import check
from loanwatch.monitoring.performance.estimated import estimate_accuracy, estimate_auc
from loanwatch.monitoring.performance.metrics import PERFORMANCE_METRICS, measure_performance

__all__ = ["PERFORMANCE_METRICS", "check", "estimate_accuracy", "estimate_auc", "measure_performance"]
