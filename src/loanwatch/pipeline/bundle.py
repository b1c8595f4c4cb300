"""What a deployed model carries: how it scores, and what it was trained on, so that windows can be compared."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.errors import ArtifactError
from loanwatch.monitoring import ScoredWindow
from loanwatch.monitoring.performance import HoldOut, HoldOutRelation
from loanwatch.monitoring.profile import Profile
from loanwatch.records import record
from loanwatch.registry import ModelVersion, load_artifact
from loanwatch.scoring import ScoringModel
from loanwatch.storage import Storage

__all__ = ["DeployedModel", "deployed_model", "load_model", "model_files"]

_REFERENCE = "reference_profile.json"
_HOLDOUT = "holdout.parquet"
_FIGURES = "holdout.json"
_CARD = "card.json"
_OWN_FILES = {_REFERENCE, _HOLDOUT, _FIGURES, _CARD}
_HOLDOUT_ROWS = 50_000
"""Evenly taken where there are more. What is measured of the hold-out itself is measured of all its rows, once."""


@record
class DeployedModel:
    """A model with its reference."""

    scoring: ScoringModel
    reference: Profile
    """Profile of the applications it was trained and tested on; score counts from the hold-out alone."""
    holdout: ScoredWindow
    """Rows it was tested on, with their labels and its probabilities."""
    figures: HoldOut | None
    """What all the rows it was tested on say of it, found out at training; an earlier release's model has none."""
    card: Mapping[str, Any]
    """Training window, parameters, metrics, importance of each column."""

    @classmethod
    def of(
        cls,
        *,
        scoring: ScoringModel,
        reference: Profile,
        holdout: ScoredWindow,
        card: Mapping[str, Any],
        contract: Contract,
    ) -> Self:
        """Find out what no later run shall have to find out again."""
        return cls(
            scoring=scoring,
            reference=reference,
            holdout=holdout.thinned(_HOLDOUT_ROWS),
            figures=HoldOut.of(holdout, contract),
            card=card,
        )

    def was_fitted_to(self, time: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Return which of these moments lie among the training rows: on those the model looks better than it is.

        Parameters
        ----------
        time : ndarray of shape (n,), datetime64, UTC

        Returns
        -------
        ndarray of bool, shape (n,)
            True from the start of the training window up to the first row of the hold-out.
        """
        start = datetime.fromisoformat(self.card["training_window"]["start"]).astimezone(UTC).replace(tzinfo=None)
        fitted: NDArray[np.bool_] = (time >= np.datetime64(start)) & (time < self.holdout.time.min())
        return fitted

    @property
    def relation(self) -> HoldOutRelation | None:
        """The hold-out's relation between features and label, where it was fitted at training."""
        return self.figures.relation if self.figures else None

    @property
    def importance(self) -> dict[str, float]:
        """How much the model relies on each column; sums to 1."""
        return dict(self.card["importance"])


def model_files(model: DeployedModel) -> dict[str, bytes]:
    """Return the files of a model: JSON, ONNX and Parquet, none of which can execute code."""
    holdout = BytesIO()
    model.holdout.to_frame().write_parquet(holdout)
    return {
        **model.scoring.to_files(),
        _REFERENCE: json.dumps(model.reference.to_dict()).encode(),
        _HOLDOUT: holdout.getvalue(),
        **({_FIGURES: json.dumps(model.figures.to_dict()).encode()} if model.figures else {}),
        _CARD: json.dumps(dict(model.card), indent=1, sort_keys=True).encode(),
    }


def load_model(storage: Storage, version: ModelVersion) -> DeployedModel:
    """Read a registered model.

    Raises
    ------
    ArtifactError
        If a file is missing or is not the one that was registered.
    """
    if version.digest is None:
        raise ArtifactError(f"{version.title} was registered without files and cannot score: deploy another version")
    return deployed_model(load_artifact(storage, version.name, version.digest))


def deployed_model(files: Mapping[str, bytes]) -> DeployedModel:
    """Return the model that `model_files` wrote."""
    return DeployedModel(
        scoring=ScoringModel.from_files({k: v for k, v in files.items() if k not in _OWN_FILES}),
        reference=Profile.from_dict(json.loads(files[_REFERENCE])),
        holdout=ScoredWindow.from_frame(pl.read_parquet(BytesIO(files[_HOLDOUT]))),
        figures=HoldOut.from_dict(json.loads(files[_FIGURES])) if _FIGURES in files else None,
        card=json.loads(files[_CARD]),
    )
