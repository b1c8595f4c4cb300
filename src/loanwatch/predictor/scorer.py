"""Applications in, decisions out: the same preprocessing and graph as in training, for one row or many."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract, Kind
from loanwatch.errors import ArtifactError
from loanwatch.features import clean, clean_values, engineer, engineer_values
from loanwatch.predictor.explanation import Explainer
from loanwatch.records import record
from loanwatch.registry import ModelVersion
from loanwatch.scoring import ScoringModel

__all__ = ["DECISION_THRESHOLD", "Scored", "Scorer"]

DECISION_THRESHOLD = 0.5
"""P(positive) from which the positive label is decided on."""

_FRAME_ROWS = 48
"""From this many rows on, building frames costs less than going row by row."""

Row = Mapping[str, Any]


@record
class Scored:
    """What a model says of n applications."""

    probability: list[float]
    """Calibrated P(positive), in (0, 1)."""
    reasons: list[list[dict[str, str]]] | None
    """The strongest reasons against each; None where they were not asked for."""
    unknown: dict[int, list[str]]
    """Row → categorical predictors whose category the model has not seen."""
    missing: dict[str, int]
    """Predictor → rows without a usable value."""


@record
class Scorer:
    """One version of a model, ready to score requests; it does not change."""

    version: ModelVersion
    contract: Contract
    model: ScoringModel
    explainer: Explainer | None = None
    """None for a model that was saved without what an explanation needs."""
    codes: Mapping[str, frozenset[str]] = field(init=False)
    """Categorical predictor → the categories it knows."""
    by_row: bool = field(init=False)
    """False if a predictor is read from the time, which only the columns' way can."""

    def __post_init__(self) -> None:
        known = {c.name for c in self.contract.predictors}
        if strangers := [name for name in self.model.preprocessor.columns if name not in known]:
            raise ArtifactError(f"{self.version.title} was trained on {strangers[0]}, which the contract does not have")
        codes = {i.column: frozenset(i.codes) for i in self.model.preprocessor.inputs if i.codes is not None}
        timed = any(e.predictor and e.part is not None for e in self.contract.engineered)
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "by_row", not timed)

    def score(self, rows: Sequence[Row], *, explain: bool = False) -> Scored:
        """Score applications that were checked.

        Raises
        ------
        ArtifactError
            If reasons are asked for and the model cannot give them.
        """
        if self.by_row and len(rows) < _FRAME_ROWS:
            return self._score_rows(rows, explain=explain)
        return self._score_frame(rows_frame(rows, self.contract), explain=explain)

    def _score_rows(self, rows: Sequence[Row], *, explain: bool) -> Scored:
        ready = [self._ready(row) for row in rows]
        transform = self.model.preprocessor.transform_values
        matrix = np.concatenate([transform(values) for values in ready]) if len(ready) > 1 else transform(ready[0])
        missing: dict[str, int] = {}
        unknown: dict[int, list[str]] = {}
        for number, values in enumerate(ready):
            for name in self.model.preprocessor.columns:
                value = values[name]
                if value is None:
                    missing[name] = missing.get(name, 0) + 1
                elif (known := self.codes.get(name)) is not None and value not in known:
                    unknown.setdefault(number, []).append(name)
        return Scored(
            probability=self.model.score_matrix(matrix).tolist(),
            reasons=self.reasons(matrix, ready) if explain else None,
            unknown=unknown,
            missing=missing,
        )

    def _ready(self, row: Row) -> dict[str, Any]:
        values, _ = clean_values(row, self.contract)
        return {**values, **engineer_values(values, self.contract)}

    def _score_frame(self, raw: pl.DataFrame, *, explain: bool) -> Scored:
        frame = self.ready_frame(raw)
        matrix = self.model.preprocessor.transform(frame)
        unknown: dict[int, list[str]] = {}
        for name, known in self.codes.items():
            values = frame.get_column(name)
            strange = values.is_not_null() & ~values.is_in(list(known))
            for number in strange.arg_true().to_list():
                unknown.setdefault(number, []).append(name)
        counts = {name: frame.get_column(name).null_count() for name in self.model.preprocessor.columns}
        return Scored(
            probability=self.model.score_matrix(matrix).tolist(),
            reasons=self.reasons(matrix, frame.to_dicts()) if explain else None,
            unknown=unknown,
            missing={name: count for name, count in counts.items() if count},
        )

    def ready_frame(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return applications of any types cleaned and with the engineered columns."""
        return engineer(clean(raw, self.contract).frame, self.contract)

    def reasons(self, matrix: NDArray[np.float32], values: Sequence[Row]) -> list[list[dict[str, str]]]:
        """Return the strongest reasons against each row of a preprocessed matrix, and of its cleaned values.

        Raises
        ------
        ArtifactError
            If the model was saved without what they need.
        """
        if self.explainer is None:
            raise ArtifactError(f"{self.version.title} was saved without what reasons need: train it again")
        return [self.explainer.strongest_against(row, of) for row, of in zip(matrix, values, strict=True)]

    def label(self, probability: float) -> str:
        """Return the label that is decided on."""
        label = self.contract.label
        return label.positive if probability >= DECISION_THRESHOLD else label.negative


def rows_frame(rows: Sequence[Row], contract: Contract) -> pl.DataFrame:
    """Return checked applications as a frame that `features.clean` reads as it reads them one by one."""
    return pl.DataFrame([_series(c.name, [row.get(c.name) for row in rows], kind=c.kind) for c in contract.columns])


def _series(name: str, values: list[Any], *, kind: Kind) -> pl.Series:
    if kind is Kind.NUMERIC and not any(isinstance(value, str) for value in values):
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)
