"""Why an application was scored as it was: the strongest reasons against it."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract, Reason
from loanwatch.predictor.shapley import TreeExplainer
from loanwatch.predictor.trees import leaves_of
from loanwatch.records import record
from loanwatch.scoring import ScoringModel

__all__ = ["REASON_LIMIT", "Explainer"]

REASON_LIMIT = 4
"""At most this many reasons are told."""

_NEGLIGIBLE = 1e-9


@record
class Explainer:
    """Explains the scores of one model in the contract's words."""

    trees: TreeExplainer
    columns: tuple[str, ...]
    """The predictors, in the order of the contract."""
    position: NDArray[np.int64]
    """Of each model input, the position of its column in `columns`."""
    reasons: Mapping[str, Reason]

    @classmethod
    def of(cls, model: ScoringModel, contract: Contract) -> Self:
        """Prepare to explain a model.

        Raises
        ------
        ArtifactError
            If the model was saved without what an explanation needs.
        """
        columns = model.preprocessor.columns
        inputs = model.preprocessor.inputs
        return cls(
            trees=TreeExplainer.of(leaves_of(model), inputs=len(inputs)),
            columns=columns,
            position=np.array([columns.index(each.column) for each in inputs], dtype=np.int64),
            reasons={c.name: c.told_reason for c in contract.predictors},
        )

    def effects(self, row: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each column added to the raw score, of shape (columns,); below 0 it counted against.

        The score is compared with the mean over the training rows, on the scale of the trees: probability for a
        forest, logit for boosting. Calibration keeps the order of scores, so it changes no sign.
        """
        added = np.zeros(len(self.columns))
        np.add.at(added, self.position, self.trees.values(row))
        return added

    def strongest_against(self, row: NDArray[np.float32], values: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return up to four reasons as code and sentence, the strongest first.

        Parameters
        ----------
        row : ndarray of shape (k,), float32
            One row of the preprocessed matrix.
        values : mapping of column name to value or None
            The cleaned and engineered values of that row.
        """
        effects = self.effects(row)
        order = np.argsort(effects, kind="stable")[:REASON_LIMIT]
        return [self._told(self.columns[at], values) for at in order if effects[at] < -_NEGLIGIBLE]

    def _told(self, column: str, values: Mapping[str, Any]) -> dict[str, str]:
        reason = self.reasons[column]
        absent = values.get(column) is None and reason.missing is not None
        return {"code": reason.code, "sentence": reason.missing if absent and reason.missing else reason.sentence}
