"""The model as it is served: preprocessing, ONNX graph, calibration; files that execute no code."""

import io
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from loanwatch.errors import ArtifactError
from loanwatch.features import Preprocessor
from loanwatch.records import record
from loanwatch.scoring.calibrator import Calibrator, FloatArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession  # type: ignore[import-untyped]  # it has no stubs

__all__ = ["GRAPH_INPUT", "GRAPH_OUTPUT", "ScoringModel"]

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]

GRAPH_INPUT = "features"
"""Name of the graph's input: float32 of shape (n, k)."""
GRAPH_OUTPUT = "probability"
"""Name of the graph's output: P(positive) before calibration, of shape (n, 1)."""

_PREPROCESSOR, _GRAPH, _CALIBRATOR = "preprocessor.json", "model.onnx", "calibrator.json"
_COVERS = "covers.npy"
_CHUNK_ROWS = 16_384


@record
class ScoringModel:
    """Gives P(positive) for cleaned and engineered applications.

    The score of a row does not depend on the rows beside it, to about 1e-15: each graph run uses one thread, because
    several would add up the trees in another order; large batches are shared out to threads by rows instead.
    """

    preprocessor: Preprocessor
    calibrator: Calibrator
    graph: bytes = field(repr=False)
    """The ONNX model."""
    covers: FloatArray | None = field(default=None, repr=False, compare=False)
    """Training rows that came past each tree node, inner nodes first, then leaves, as the graph numbers them.
    Explaining a score needs them; None for a model that was saved without."""

    def score(self, frame: pl.DataFrame) -> FloatArray:
        """Return the calibrated P(positive), of shape (n,), in (0, 1).

        Parameters
        ----------
        frame : DataFrame of n rows
            What `features.engineer` returned.

        Raises
        ------
        ContractError
            If a predictor is not among the columns.
        ArtifactError
            If the graph cannot be loaded.
        """
        return self.score_matrix(self.preprocessor.transform(frame))

    def score_values(self, values: Mapping[str, Any]) -> float:
        """Return the calibrated P(positive) of one application, in (0, 1); the same that `score` gives it.

        Parameters
        ----------
        values : mapping of column name to value or None
            What `features.clean_values` and `features.engineer_values` returned; has every predictor.
        """
        return float(self.score_matrix(self.preprocessor.transform_values(values))[0])

    def score_matrix(self, matrix: Matrix) -> FloatArray:
        """Return the calibrated P(positive) of preprocessed rows of shape (n, k), float32."""
        return self.calibrator.apply(self.raw_score_matrix(matrix))

    def raw_score_matrix(self, matrix: Matrix) -> FloatArray:
        """Return P(positive) before calibration, of shape (n,), in [0, 1]."""
        if len(matrix) <= _CHUNK_ROWS:
            return self._run(matrix)
        chunks = [matrix[start : start + _CHUNK_ROWS] for start in range(0, len(matrix), _CHUNK_ROWS)]
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return np.concatenate(list(pool.map(self._run, chunks)))

    def _run(self, matrix: Matrix) -> FloatArray:
        if not len(matrix):
            return np.empty(0)
        (probability,) = self._session.run([GRAPH_OUTPUT], {GRAPH_INPUT: matrix})
        return np.asarray(probability, dtype=np.float64).ravel()

    @cached_property
    def _session(self) -> "InferenceSession":
        import onnxruntime  # noqa: PLC0415  (a quarter of a second that only scoring has to pay)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base class but this
            raise ArtifactError(f"{_GRAPH} cannot be loaded: {error}") from error

    def to_files(self) -> dict[str, bytes]:
        """Return the files that hold the model: file name → content."""
        files = {
            _PREPROCESSOR: self.preprocessor.to_json().encode(),
            _GRAPH: self.graph,
            _CALIBRATOR: self.calibrator.to_json().encode(),
        }
        return files if self.covers is None else {**files, _COVERS: _array_bytes(self.covers)}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Rebuild the model from what `to_files` returned; other files are ignored.

        Raises
        ------
        ArtifactError
            If a file is missing or is not what its name says.
        """
        if missing := [name for name in (_PREPROCESSOR, _GRAPH, _CALIBRATOR) if name not in files]:
            raise ArtifactError(f"the model has no {missing[0]}")
        return cls(
            preprocessor=Preprocessor.from_json(_text(files, _PREPROCESSOR)),
            calibrator=Calibrator.from_json(_text(files, _CALIBRATOR)),
            graph=bytes(files[_GRAPH]),
            covers=_array(files[_COVERS]) if _COVERS in files else None,
        )


def _array_bytes(values: FloatArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def _array(content: bytes) -> FloatArray:
    try:
        values = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ArtifactError(f"{_COVERS} is not an array") from error
    if values.ndim != 1 or values.dtype != np.float64:
        raise ArtifactError(f"{_COVERS} is not a vector of double precision")
    return np.asarray(values)


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode()
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{name} is not UTF-8") from error
