"""How much a model relies on each column."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.scoring import ScoringModel
from loanwatch.statistics import auc

__all__ = ["feature_importance"]

_REPEATS = 3
_ROWS = 1_500
"""More rows than this are sampled: the shares then stay within about 0.02 and the time within half a second."""


def feature_importance(
    model: ScoringModel, matrix: NDArray[np.float32], label: NDArray[np.bool_], *, seed: int
) -> dict[str, float]:
    """Return each column's share of the AUC that is lost when its values are shuffled among the rows.

    The inputs that come from one column are shuffled together. A column whose shuffling does not lower the AUC has
    share 0; where that holds for all of them, the shares are equal.

    Parameters
    ----------
    model : ScoringModel
    matrix : ndarray of shape (n, k), float32
        Preprocessed rows that the model was not fitted to, of both classes.
    label : ndarray of shape (n,), bool
    seed : int
        Of the shuffling.

    Returns
    -------
    dict
        Column → share, in [0, 1], summing to 1.

    Source: Breiman (2001), Random forests, section 10; with the AUC in place of the accuracy.
    """
    generator = np.random.default_rng(seed)
    if len(label) > _ROWS:
        sample = generator.permutation(len(label))[:_ROWS]
        if label[sample].any() and not label[sample].all():
            matrix, label = matrix[sample], label[sample]
    base = auc(label, model.raw_score_matrix(matrix))
    columns = model.preprocessor.columns
    sources = np.array([model.preprocessor.source_of(name) for name in model.preprocessor.feature_names])
    lost = {}
    for column in columns:
        shuffled = _shuffled(matrix, sources == column, generator)
        scores = model.raw_score_matrix(shuffled).reshape(_REPEATS, len(label))
        lost[column] = max(0.0, base - sum(auc(label, score) for score in scores) / _REPEATS)
    total = sum(lost.values())
    return {column: value / total if total > 0 else 1 / len(columns) for column, value in lost.items()}


def _shuffled(
    matrix: NDArray[np.float32], inputs: NDArray[np.bool_], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return the matrix repeated below itself, the given inputs of each copy in another order of rows."""
    rows = len(matrix)
    copies = np.tile(matrix, (_REPEATS, 1))
    for repeat in range(_REPEATS):
        copies[repeat * rows : (repeat + 1) * rows, inputs] = matrix[generator.permutation(rows)][:, inputs]
    return copies
