"""Whether the data of a window are fit for training and for decisions: one rule a file."""

from loanwatch.monitoring.data_quality.check import check, leaking_rows

__all__ = ["check", "leaking_rows"]
