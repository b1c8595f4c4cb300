"""Data drift: which features moved, is it real, does it matter."""

from loanwatch.monitoring.data_drift.check import check
from loanwatch.monitoring.data_drift.domain_classifier import with_domain_classifier

__all__ = ["check", "with_domain_classifier"]
