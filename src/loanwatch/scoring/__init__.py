"""The model as it is served: columns in, calibrated probability out, without the training libraries."""

from loanwatch.scoring.calibrator import Calibrator, logit
from loanwatch.scoring.model import GRAPH_INPUT, GRAPH_OUTPUT, ScoringModel

__all__ = ["GRAPH_INPUT", "GRAPH_OUTPUT", "Calibrator", "ScoringModel", "logit"]
