"""P(label | features, score) as the hold-out shows it: what the labels of any other applications should be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from loanwatch.contract import Contract, Kind
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.statistics.calibration import score_band_edges
from loanwatch.statistics.logistic import fit_logistic_offset

__all__ = ["HoldOutRelation"]

_RIDGE = 5.0
_KNOTS = (-1.0, 0.0, 1.0)
"""Normal scores, within the hold-out, at which the correction for a number may bend."""
_BANDS = 20
_ROWS_PER_BAND = 100
_ROWS_TO_KNOW = 30
"""A value that fewer rows of the hold-out have gets no correction of its own."""
_CERTAIN = 0.001
_MOST_ROWS = 100_000
"""Of the hold-out, evenly taken for the fit; and at a time when probabilities are asked for."""
_QUANTILES = 400

Columns = Callable[[ScoredWindow], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class HoldOutRelation:
    """The model's log-odds, corrected by score band and along every feature where the hold-out contradicts them.

    A logistic regression with the model's log-odds as offset and a prior at "no correction". Other applicants, whose
    features lie where the model is a little off, are expected to be mistaken as often as such applicants were in the
    hold-out; beyond the hold-out's range a correction stays what it was at its end.
    """

    columns: tuple[Columns, ...]
    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def fit(cls, reference: ScoredWindow, contract: Contract) -> Self:
        """Fit to the labelled rows of the hold-out; at least one row."""
        known = reference.labelled().thinned(_MOST_ROWS)
        columns = (_of_score(known), *_of_features(known, contract))
        design = np.hstack([c(known) for c in columns])
        fit = fit_logistic_offset(design, known.label, _offset(known), ridge=_RIDGE)
        return cls(columns=columns, coefficients=fit.coefficients, covariance=fit.covariance)

    def design(self, window: ScoredWindow) -> NDArray[np.float64]:
        """Return the columns that the correction is linear in, shape (n, columns)."""
        return np.hstack([c(window) for c in self.columns])

    def probability(self, window: ScoredWindow, design: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return P(positive) of each row, shape (n,); `design` saves building it again."""
        line = self._corrections(window) if design is None else design @ self.coefficients
        expected: NDArray[np.float64] = expit(_offset(window) + line)
        return expected

    def _corrections(self, window: ScoredWindow) -> NDArray[np.float64]:
        position = np.arange(window.rows) // _MOST_ROWS
        parts = [
            self.design(window.where(position == k)) @ self.coefficients
            for k in range(int(position.max(initial=-1)) + 1)
        ]
        return np.concatenate([*parts, np.empty(0)])


def _offset(window: ScoredWindow) -> NDArray[np.float64]:
    line: NDArray[np.float64] = logit(np.clip(window.probability, _CERTAIN, 1.0 - _CERTAIN))
    return line


def _of_score(reference: ScoredWindow) -> Columns:
    bands = int(np.clip(reference.rows // _ROWS_PER_BAND, 1, _BANDS))
    edges = score_band_edges(reference.probability, bands=bands)

    def columns(window: ScoredWindow) -> NDArray[np.float64]:
        band = np.searchsorted(edges, window.probability, side="right")
        indicators = (band[:, None] == np.arange(edges.size + 1)).astype(np.float64)
        return np.column_stack([np.ones(window.rows), _offset(window) / 2.0, indicators])

    return columns


def _of_features(reference: ScoredWindow, contract: Contract) -> list[Columns]:
    made = []
    for column in contract.predictors:
        name = column.name
        if name not in reference.frame.columns:
            continue
        series = reference.frame[name]
        if contract.kind_of(name) is Kind.NUMERIC and series.dtype.is_numeric():
            made.append(_of_number(name, _numbers(series)))
        else:
            made.append(_of_category(name, series.cast(pl.String)))
    return made


def _of_number(name: str, values: NDArray[np.float64]) -> Columns:
    known = values[np.isfinite(values)]
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    grid = np.quantile(known, shares) if known.size else np.zeros(_QUANTILES)
    points, first = np.unique(grid, return_index=True)
    last = np.append(first[1:], _QUANTILES) - 1
    scores = ndtri((shares[first] + shares[last]) / 2.0)
    varies, gaps = points.size > 1, 0 < known.size <= values.size - _ROWS_TO_KNOW

    def columns(window: ScoredWindow) -> NDArray[np.float64]:
        if name not in window.frame.columns:
            return np.zeros((window.rows, (1 + len(_KNOTS)) * varies + gaps))
        now = _numbers(window.frame[name])
        finite = np.isfinite(now)
        score = np.where(finite, np.interp(np.where(finite, now, points[0]), points, scores), 0.0)
        bends = [np.where(finite, np.maximum(score - k, 0.0), 0.0) for k in _KNOTS]
        parts = [score, *bends] if varies else []
        return np.column_stack([*parts, *([(~finite).astype(np.float64)] if gaps else []), np.empty((window.rows, 0))])

    return columns


def _of_category(name: str, texts: pl.Series) -> Columns:
    counts = texts.value_counts()
    kept = counts.filter((pl.col("count") >= _ROWS_TO_KNOW) & pl.col(name).is_not_null())[name].sort().to_list()
    gaps = texts.null_count() >= _ROWS_TO_KNOW

    def columns(window: ScoredWindow) -> NDArray[np.float64]:
        if name not in window.frame.columns:
            return np.zeros((window.rows, len(kept) + gaps))
        now = window.frame[name].cast(pl.String)
        place = (
            now.replace_strict(kept, range(len(kept)), default=-1, return_dtype=pl.Int64).to_numpy() if kept else None
        )
        parts = [] if place is None else [(place[:, None] == np.arange(len(kept))).astype(np.float64)]
        missing = [now.is_null().to_numpy().astype(np.float64)] if gaps else []
        return np.column_stack([*parts, *missing, np.empty((window.rows, 0))])

    return columns


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
