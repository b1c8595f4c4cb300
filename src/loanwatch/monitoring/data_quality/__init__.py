"""Whether the data of a window are fit for training and for decisions: one rule a file."""

from loanwatch.monitoring.data_quality.check import check, leaking_rows
from loanwatch.monitoring.data_quality.leakage import LEAKAGE

__all__ = ["LEAKAGE", "check", "leaking_rows"]
