"""Whether the label follows another relation than the model learned, along which feature, and since when."""

from loanwatch.monitoring.concept_drift.check import check

__all__ = ["check"]
