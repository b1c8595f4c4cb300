"""From columns to the model's matrix: one fitted object for training, batches and single applications."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl

from loanwatch.contract import Contract
from loanwatch.errors import ArtifactError, ContractError, NotEnoughDataError
from loanwatch.features.encoding import Input, fit_column
from loanwatch.records import record

__all__ = ["Preprocessor"]

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]

_FORMAT = 1
_LARGEST = float(np.finfo(np.float32).max)


@record
class Preprocessor:
    """Imputation, encoding and rescaling, as fitted to the training rows.

    A missing number becomes the mean (or median), a missing category the most frequent one, and so does a category
    that training has not seen: `unknown_counts` tells how many there are.
    """

    inputs: tuple[Input, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, contract: Contract) -> Self:
        """Fit to cleaned and engineered training rows.

        Parameters
        ----------
        frame : DataFrame of n ≥ 1 rows
            What `engineer` returned.
        contract : Contract
            Names the predictors, their encodings, the imputation and the rescaling.

        Raises
        ------
        NotEnoughDataError
            If there is no row, or a predictor is null in all of them.
        ContractError
            If a predictor is not among the columns.
        """
        if frame.is_empty():
            raise NotEnoughDataError("there are no rows to fit the preprocessing to")
        options = contract.preprocessing
        inputs: list[Input] = []
        for column in contract.predictors:
            values = _column(frame, column.name)
            for unscaled in fit_column(column, values, options.imputation):
                inputs.append(unscaled.rescaled(unscaled.numbers(values), options.rescaling))  # noqa: PERF401
        return cls(inputs=tuple(inputs))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the k model inputs: the column's, or `column=category` where it is one-hot encoded."""
        return tuple(each.name for each in self.inputs)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The predictors, in order, each once."""
        return tuple(dict.fromkeys(each.column for each in self.inputs))

    def source_of(self, feature: str) -> str:
        """Return the column that a model input comes from.

        Raises
        ------
        KeyError
            If there is no such input.
        """
        return self._sources[feature]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {each.name: each.column for each in self.inputs}

    def transform(self, frame: pl.DataFrame) -> Matrix:
        """Return the model's inputs.

        Parameters
        ----------
        frame : DataFrame of n rows
            What `engineer` returned.

        Returns
        -------
        ndarray of shape (n, k), float32
            Finite. A row's values do not depend on the rows beside it, to the last bit.

        Raises
        ------
        ContractError
            If a predictor is not among the columns.
        """
        if frame.height == 1:
            return self._transform_row(frame)
        matrix = np.empty((frame.height, len(self.inputs)), dtype=np.float32)
        for position, each in enumerate(self.inputs):
            numbers = each.numbers(_column(frame, each.column))
            with np.errstate(over="ignore"):
                scaled = (numbers - each.centre) / each.scale if each.scale else np.zeros_like(numbers)
            matrix[:, position] = np.clip(scaled, -_LARGEST, _LARGEST)
        return matrix

    def _transform_row(self, frame: pl.DataFrame) -> Matrix:
        return self.transform_values({name: _column(frame, name).item() for name in self.columns})

    def transform_values(self, values: Mapping[str, Any]) -> Matrix:
        """Return the inputs of one row, of shape (1, k), in plain Python: array operations would cost more.

        Parameters
        ----------
        values : mapping of column name to value or None
            What `clean_values` and `engineer_values` returned; has every predictor.
        """
        return np.array([list(self._row(values))], dtype=np.float32)

    def _row(self, values: Mapping[str, Any]) -> Iterator[float]:
        for each in self.inputs:
            scaled = (each.number(values[each.column]) - each.centre) / each.scale if each.scale else 0.0
            yield min(max(scaled, -_LARGEST), _LARGEST)

    def unknown_counts(self, frame: pl.DataFrame) -> dict[str, int]:
        """Return, for each categorical predictor, how many rows hold a category without a code.

        Parameters
        ----------
        frame : DataFrame of n rows
            What `clean` returned.
        """
        coded = {each.column: each.codes for each in self.inputs if each.codes is not None}
        return {
            name: int((~_column(frame, name).drop_nulls().is_in(list(codes))).sum()) for name, codes in coded.items()
        }

    def to_json(self) -> str:
        """Return the fitted object as JSON; floats keep every bit."""
        document = {"format": _FORMAT, "inputs": [each.to_dict() for each in self.inputs]}
        return json.dumps(document, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` wrote.

        Raises
        ------
        ArtifactError
            If the text is not such a document.
        """
        try:
            document = json.loads(text)
            if document["format"] != _FORMAT:
                raise ArtifactError(f"preprocessor: format {document['format']} is not {_FORMAT}")
            return cls(inputs=tuple(Input(**each) for each in document["inputs"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"preprocessor: not a stored preprocessor ({error})") from error


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    try:
        return frame.get_column(name)
    except pl.exceptions.ColumnNotFoundError as error:
        raise ContractError(
            f"column {name} is missing: pass the rows through features.clean and features.engineer first"
        ) from error
