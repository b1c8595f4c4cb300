"""From a model's score to a probability that means what it says."""

import json
from dataclasses import asdict
from typing import Self

import numpy as np

from loanwatch.errors import ArtifactError
from loanwatch.records import record

__all__ = ["Calibrator", "FloatArray", "logit"]

FloatArray = np.ndarray[tuple[int], np.dtype[np.float64]]

_EDGE = 1e-6
"""Scores nearer to 0 or 1 than this count as this near: a forest says 0 and 1, whose logits are infinite."""


def logit(probability: FloatArray) -> FloatArray:
    """Return log(p / (1 − p)), of shape (n,), with p kept 1e-6 away from 0 and 1.

    >>> logit(np.array([0.5]))
    array([0.])
    """
    inside = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.log(inside / (1 - inside))


@record
class Calibrator:
    """Platt scaling on the logit: p ↦ 1 / (1 + exp(−(slope · logit(p) + intercept))).

    Strictly increasing where p is at least 1e-6 away from 0 and 1, so that no ranking changes.

    Source: Platt (1999), Probabilistic outputs for support vector machines; on the logit as in Cox (1958).

    Examples
    --------
    >>> Calibrator(slope=1.0, intercept=0.0).apply(np.array([0.25]))
    array([0.25])
    """

    slope: float
    """Above 0."""
    intercept: float

    def apply(self, probability: FloatArray) -> FloatArray:
        """Return the calibrated probabilities, in (0, 1), of uncalibrated ones of shape (n,), in [0, 1]."""
        return 1 / (1 + np.exp(-(self.slope * logit(probability) + self.intercept)))

    def to_json(self) -> str:
        """Return slope and intercept as JSON; floats keep every bit."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` wrote.

        Raises
        ------
        ArtifactError
            If the text is not such a document.
        """
        try:
            values = json.loads(text)
            return cls(slope=float(values["slope"]), intercept=float(values["intercept"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"calibrator: not a stored calibrator ({error})") from error
