"""Whether the label follows another relation than the model learned, along which feature, and since when."""

from loanwatch.monitoring.concept_drift.check import check
from loanwatch.monitoring.concept_drift.sequential import StreamAlarm, watch_stream

__all__ = ["StreamAlarm", "check", "watch_stream"]
