"""What caused a change of the model's loss, and whether retraining will help."""

from loanwatch.monitoring.cause.explain import Cause, Verdict, explain_change
from loanwatch.monitoring.cause.split import LossSplit, split_loss

__all__ = ["Cause", "LossSplit", "Verdict", "explain_change", "split_loss"]
