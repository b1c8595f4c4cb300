"""Pure functions on arrays and counts, one statistic a file."""

from loanwatch.statistics.auc import auc, gini
from loanwatch.statistics.average_precision import average_precision
from loanwatch.statistics.binomial import clopper_pearson, exact_binomial_p_value, wilson
from loanwatch.statistics.calibration import calibration_error, calibration_line, spiegelhalter
from loanwatch.statistics.confusion import Confusion, confusion
from loanwatch.statistics.delong import (
    Difference,
    delong_estimate,
    delong_paired_difference,
    delong_two_sample_difference,
)
from loanwatch.statistics.estimate import Estimate
from loanwatch.statistics.ks_score import ks_score
from loanwatch.statistics.mean_loss import brier_losses, log_losses

__all__ = [
    "Confusion",
    "Difference",
    "Estimate",
    "auc",
    "average_precision",
    "brier_losses",
    "calibration_error",
    "calibration_line",
    "clopper_pearson",
    "confusion",
    "delong_estimate",
    "delong_paired_difference",
    "delong_two_sample_difference",
    "exact_binomial_p_value",
    "gini",
    "ks_score",
    "log_losses",
    "spiegelhalter",
    "wilson",
]
