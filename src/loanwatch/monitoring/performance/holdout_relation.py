"""P(label | features, score) as the hold-out shows it: what the labels of any other applications should be."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract, Kind
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.calibration import score_band_edges
from loanwatch.statistics.logistic import fit_logistic_offset
from loanwatch.statistics.ranks import quantiles
from loanwatch.statistics.special import expit, logit, ndtri

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
_MOST_FEATURES = 64
"""With a correction of their own: the cost of the fit grows with the square of the features."""
_ROWS_TO_CHOOSE_BY = 10_000


class Columns(Protocol):
    """Part of the design: what it needs to know of the hold-out, and how to build it for any window."""

    def of(self, window: ScoredWindow) -> NDArray[np.float64]:
        """Return the columns of the design, shape (window.rows, columns)."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only; `kind` tells which class it is."""


@record
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
        """Fit to the labelled rows of the hold-out; at least one row.

        Of more than 64 features, those that the score follows most are corrected for.
        """
        known = reference.labelled().thinned(_MOST_ROWS)
        names = [c.name for c in contract.predictors if c.name in known.frame.columns]
        if len(names) > _MOST_FEATURES:
            names = _followed(known.thinned(_ROWS_TO_CHOOSE_BY), contract, names)
        columns: tuple[Columns, ...] = (_Score.learn(known), *(_learn(known, contract, name) for name in names))
        design = np.hstack([c.of(known) for c in columns])
        fit = fit_logistic_offset(design, known.label, _offset(known), ridge=_RIDGE)
        symmetric = (fit.covariance + fit.covariance.T) / 2.0
        return cls(columns=columns, coefficients=fit.coefficients, covariance=symmetric)

    @property
    def features(self) -> int:
        """Features that have a correction of their own."""
        return len(self.columns) - 1

    def design(self, window: ScoredWindow) -> NDArray[np.float64]:
        """Return the columns that the correction is linear in, shape (n, columns)."""
        return np.hstack([c.of(window) for c in self.columns])

    def probability(self, window: ScoredWindow, design: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return P(positive) of each row, shape (n,); `design` saves building it again."""
        line = self._corrections(window) if design is None else design @ self.coefficients
        expected: NDArray[np.float64] = expit(_offset(window) + line)
        return expected

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return {
            "columns": [each.to_dict() for each in self.columns],
            "coefficients": self.coefficients.tolist(),
            "covariance": self.covariance[np.triu_indices(self.coefficients.size)].tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        coefficients = np.asarray(values["coefficients"], dtype=np.float64)
        covariance = np.zeros((coefficients.size, coefficients.size))
        covariance[np.triu_indices(coefficients.size)] = values["covariance"]
        return cls(
            columns=tuple(_KINDS[each["kind"]].from_dict(each) for each in values["columns"]),
            coefficients=coefficients,
            covariance=covariance + np.triu(covariance, 1).T,
        )

    def _corrections(self, window: ScoredWindow) -> NDArray[np.float64]:
        position = np.arange(window.rows) // _MOST_ROWS
        parts = [
            self.design(window.where(position == k)) @ self.coefficients
            for k in range(int(position.max(initial=-1)) + 1)
        ]
        return np.concatenate([*parts, np.empty(0)])


@record(eq=False)
class _Score:
    """Level, slope and bands of the score."""

    edges: NDArray[np.float64]

    @classmethod
    def learn(cls, reference: ScoredWindow) -> Self:
        bands = int(np.clip(reference.rows // _ROWS_PER_BAND, 1, _BANDS))
        return cls(edges=score_band_edges(reference.probability, bands=bands))

    def of(self, window: ScoredWindow) -> NDArray[np.float64]:
        band = np.searchsorted(self.edges, window.probability, side="right")
        design = np.zeros((window.rows, self.edges.size + 3))
        design[:, 0] = 1.0
        design[:, 1] = _offset(window) / 2.0
        design[np.arange(window.rows), band + 2] = 1.0
        return design

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "score", "edges": self.edges.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(edges=np.asarray(values["edges"], dtype=np.float64))


@record(eq=False)
class _Number:
    """A number's normal score within the hold-out, bent at the knots, and whether it is not known."""

    name: str
    points: NDArray[np.float64]
    scores: NDArray[np.float64]
    has_gaps: bool

    @classmethod
    def learn(cls, name: str, values: NDArray[np.float64]) -> Self:
        known = values[np.isfinite(values)]
        shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        grid = quantiles(known, shares) if known.size else np.zeros(_QUANTILES)
        points, first = np.unique(grid, return_index=True)
        last = np.append(first[1:], _QUANTILES) - 1
        return cls(
            name=name,
            points=points,
            scores=ndtri((shares[first] + shares[last]) / 2.0),
            has_gaps=0 < known.size <= values.size - _ROWS_TO_KNOW,
        )

    def of(self, window: ScoredWindow) -> NDArray[np.float64]:
        varies = self.points.size > 1
        design = np.zeros((window.rows, (1 + len(_KNOTS)) * varies + self.has_gaps))
        if self.name not in window.frame.columns:
            return design
        now = _numbers(window.frame[self.name])
        finite = np.isfinite(now)
        if varies:
            score = np.where(finite, np.interp(np.where(finite, now, self.points[0]), self.points, self.scores), 0.0)
            design[:, 0] = score
            for at, knot in enumerate(_KNOTS, start=1):
                design[:, at] = np.where(finite, np.maximum(score - knot, 0.0), 0.0)
        if self.has_gaps:
            design[:, -1] = ~finite
        return design

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": "number",
            "name": self.name,
            "points": self.points.tolist(),
            "scores": self.scores.tolist(),
            "has_gaps": self.has_gaps,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        points, scores = (np.asarray(values[key], dtype=np.float64) for key in ("points", "scores"))
        return cls(name=values["name"], points=points, scores=scores, has_gaps=values["has_gaps"])


@record
class _Category:
    """Which of the frequent categories it is, and whether it is not known."""

    name: str
    categories: tuple[str, ...]
    has_gaps: bool

    @classmethod
    def learn(cls, name: str, texts: pl.Series) -> Self:
        counts = texts.value_counts(name="\0rows")
        frequent = counts.filter((pl.col("\0rows") >= _ROWS_TO_KNOW) & pl.col(name).is_not_null())
        return cls(
            name=name,
            categories=tuple(frequent[name].sort().to_list()),
            has_gaps=texts.null_count() >= _ROWS_TO_KNOW,
        )

    def of(self, window: ScoredWindow) -> NDArray[np.float64]:
        design = np.zeros((window.rows, len(self.categories) + self.has_gaps))
        if self.name not in window.frame.columns:
            return design
        now = window.frame[self.name].cast(pl.String)
        if self.categories:
            codes = now.cast(pl.Enum(self.categories), strict=False).to_physical().cast(pl.Int64)
            rows = np.flatnonzero(codes.is_not_null().to_numpy())
            design[rows, codes.drop_nulls().to_numpy()] = 1.0
        if self.has_gaps:
            design[:, -1] = now.is_null().to_numpy()
        return design

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": "category",
            "name": self.name,
            "categories": list(self.categories),
            "has_gaps": self.has_gaps,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(name=values["name"], categories=tuple(values["categories"]), has_gaps=values["has_gaps"])


_KINDS: Mapping[str, type[_Score | _Number | _Category]] = {"score": _Score, "number": _Number, "category": _Category}


def _offset(window: ScoredWindow) -> NDArray[np.float64]:
    line: NDArray[np.float64] = logit(np.clip(window.probability, _CERTAIN, 1.0 - _CERTAIN))
    return line


def _learn(reference: ScoredWindow, contract: Contract, name: str) -> Columns:
    series = reference.frame[name]
    if contract.kind_of(name) is Kind.NUMERIC and series.dtype.is_numeric():
        return _Number.learn(name, _numbers(series))
    return _Category.learn(name, series.cast(pl.String))


def _followed(reference: ScoredWindow, contract: Contract, names: Sequence[str]) -> list[str]:
    """Return the features that the score follows most, in the order given.

    The score decides and not the labels: chosen by the labels, chance alone would make features seem miscalibrated.
    """
    centred = reference.probability - reference.probability.mean()
    explained = {name: _explained(_learn(reference, contract, name).of(reference), centred) for name in names}
    kept = sorted(names, key=lambda name: -explained[name])[:_MOST_FEATURES]
    return [name for name in names if name in kept]


def _explained(design: NDArray[np.float64], centred: NDArray[np.float64]) -> float:
    """Return the sum of squares that a regression on the design explains."""
    columns = design - design.mean(axis=0)
    slopes = np.linalg.lstsq(columns, centred, rcond=None)[0]
    return float(centred @ (columns @ slopes))


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64, strict=False).to_numpy()
