"""Data drift: which features moved, is it real, does it matter."""

from loanwatch.monitoring.data_drift.check import check

__all__ = ["check"]
