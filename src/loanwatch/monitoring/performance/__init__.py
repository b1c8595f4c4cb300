"""How well the model does: figures with intervals, realised against the hold-out, estimated without labels."""

from loanwatch.monitoring.performance.metrics import PERFORMANCE_METRICS, measure_performance

__all__ = ["PERFORMANCE_METRICS", "measure_performance"]
