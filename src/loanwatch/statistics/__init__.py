"""Pure functions on arrays and counts, one statistic a file."""

from loanwatch.statistics.auc import auc, gini
from loanwatch.statistics.average_precision import average_precision
from loanwatch.statistics.benjamini_hochberg import benjamini_hochberg
from loanwatch.statistics.binomial import clopper_pearson, exact_binomial_p_value, wilson
from loanwatch.statistics.calibration import calibration_error, calibration_line, spiegelhalter
from loanwatch.statistics.chi_square import chi_square_p, chi_square_quantile, detectable_noncentrality
from loanwatch.statistics.confusion import Confusion, confusion
from loanwatch.statistics.correlation import CorrelationChange, correlation_change
from loanwatch.statistics.counts import CountArray, FloatArray, as_counts, pool_sparse, shares
from loanwatch.statistics.delong import (
    Difference,
    delong_estimate,
    delong_paired_difference,
    delong_two_sample_difference,
)
from loanwatch.statistics.delong_counts import delong_of_counts
from loanwatch.statistics.dispersion import block_dispersion, ordered_block_dispersion
from loanwatch.statistics.estimate import Estimate
from loanwatch.statistics.g_test import GTest, g_test
from loanwatch.statistics.jensen_shannon import jensen_shannon
from loanwatch.statistics.kolmogorov_smirnov import KolmogorovSmirnov, kolmogorov_smirnov
from loanwatch.statistics.ks_score import ks_score
from loanwatch.statistics.mean_loss import brier_losses, log_losses
from loanwatch.statistics.normal import normal_scores, two_sided_p, two_sided_z
from loanwatch.statistics.proportion import ProportionChange, proportion_change
from loanwatch.statistics.psi import detectable_psi, expected_psi, psi
from loanwatch.statistics.ranks import distinct, median, quantiles
from loanwatch.statistics.wasserstein import wasserstein

__all__ = [
    "Confusion",
    "CorrelationChange",
    "CountArray",
    "Difference",
    "Estimate",
    "FloatArray",
    "GTest",
    "KolmogorovSmirnov",
    "ProportionChange",
    "as_counts",
    "auc",
    "average_precision",
    "benjamini_hochberg",
    "block_dispersion",
    "brier_losses",
    "calibration_error",
    "calibration_line",
    "chi_square_p",
    "chi_square_quantile",
    "clopper_pearson",
    "confusion",
    "correlation_change",
    "delong_estimate",
    "delong_of_counts",
    "delong_paired_difference",
    "delong_two_sample_difference",
    "detectable_noncentrality",
    "detectable_psi",
    "distinct",
    "exact_binomial_p_value",
    "expected_psi",
    "g_test",
    "gini",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "ks_score",
    "log_losses",
    "median",
    "normal_scores",
    "ordered_block_dispersion",
    "pool_sparse",
    "proportion_change",
    "psi",
    "quantiles",
    "shares",
    "spiegelhalter",
    "two_sided_p",
    "two_sided_z",
    "wasserstein",
    "wilson",
]
