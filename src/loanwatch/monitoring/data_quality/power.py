"""How well each feature alone tells the labels apart."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Column, Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.result import Measurement
from loanwatch.statistics import delong_estimate, distinct, quantiles

__all__ = ["check_power"]

BINS = 10
MINIMUM_CLASS = 20
"""Labels of the rarer class below which an AUC says nothing."""

MAXIMUM_ROWS = 20_000
"""More rows are thinned out evenly: the AUC is then known to about 0.01 either way, which ranks features."""

CATEGORIES = 100
"""Most frequent categories that count as themselves; the rest is one group."""

PRIOR_ROWS = 10.0
"""Weight of the base rate in a group's rate, so that small groups do not rank first by luck."""


def check_power(inspection: Inspection) -> Outcome:
    """Return the cross-fitted AUC of each predictor alone, as a measurement: power is not a fault.

    A numeric column is cut into tenths, missing values are a group of their own, and every group scores the rate of
    the positive label among the other half of the rows. So a relation that rises and falls counts as well, and a
    feature without any has 0.5 on average, also with many categories.
    """
    rows = np.flatnonzero(~np.isnan(inspection.label))
    rows = rows[:: max(1, -(-len(rows) // MAXIMUM_ROWS))]
    label = inspection.label[rows] == 1
    if min(np.count_nonzero(label), np.count_nonzero(~label)) < 2 * MINIMUM_CLASS:
        return Outcome(limitations=("The power of single features was not measured: too few labels of a class.",))
    frame = inspection.frame[rows]
    measurements = {c.name: (_measure(frame[c.name], c, label),) for c in inspection.predictors}
    return Outcome(measurements=measurements)


def _measure(series: pl.Series, column: Column, label: NDArray[np.bool_]) -> Measurement:
    groups = _numeric_groups(series) if column.kind is Kind.NUMERIC else _category_groups(series)
    estimate = delong_estimate(label, _cross_fitted_rates(groups, label))
    return Measurement(
        name="single_feature_auc",
        value=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        n_current=len(label),
    )


def _numeric_groups(series: pl.Series) -> NDArray[np.int64]:
    values = series.cast(pl.Float64).to_numpy()
    known = np.isfinite(values)
    groups = np.zeros(len(values), dtype=np.int64)
    if known.any():
        cuts = distinct(quantiles(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
        groups[known] = 1 + np.searchsorted(cuts, values[known], side="left")
    return groups


def _category_groups(series: pl.Series) -> NDArray[np.int64]:
    words = series.cast(pl.String)
    top = words.drop_nulls().value_counts(sort=True, name="\0rows")[series.name].head(CATEGORIES).to_list()
    codes = words.replace_strict(top, list(range(2, len(top) + 2)), default=1, return_dtype=pl.Int64)
    return np.where(words.is_null().to_numpy(), 0, codes.fill_null(0).to_numpy())


def _cross_fitted_rates(groups: NDArray[np.int64], label: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for each row the smoothed rate of its group in the other half of the rows."""
    half = np.arange(len(label)) % 2
    scores = np.empty(len(label))
    for side in (0, 1):
        fit = half != side
        size = int(groups.max()) + 1
        rows = np.bincount(groups[fit], minlength=size)
        positive = np.bincount(groups[fit], weights=label[fit], minlength=size)
        rate = (positive + PRIOR_ROWS * label[fit].mean()) / (rows + PRIOR_ROWS)
        # Each half is ranked on its own scale: two base rates would otherwise rank rows by their half.
        scores[~fit] = rate[groups[~fit]] - label[fit].mean()
    return scores
