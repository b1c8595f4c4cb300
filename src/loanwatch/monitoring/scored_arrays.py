"""Probabilities and labels as they must be before anything is computed from them."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import LoanwatchError, shorten

__all__ = ["checked_labels", "checked_probabilities"]


def checked_probabilities(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities as float64.

    Raises
    ------
    LoanwatchError
        If they are not one-dimensional, or one is outside [0, 1] or not a number.
    """
    try:
        values = np.asarray(probability, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LoanwatchError(f"probabilities must be numbers: {shorten(error)}") from error
    if values.ndim != 1:
        raise LoanwatchError(f"probabilities must have one dimension, got shape {values.shape}")
    wrong = ~((values >= 0.0) & (values <= 1.0))
    if wrong.any():
        row = int(wrong.argmax())
        raise LoanwatchError(f"probability {values[row]} of row {row} is outside [0, 1] ({int(wrong.sum())} such rows)")
    return values


def checked_labels(label: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Return the labels as bool.

    Raises
    ------
    LoanwatchError
        If there are not `rows` of them, or one is neither 0 nor 1.
    """
    values = np.asarray(label)
    if values.shape != (rows,):
        raise LoanwatchError(f"labels have shape {values.shape}, but there are {rows} probabilities")
    if values.dtype == np.bool_ or rows == 0:
        return values.astype(np.bool_)
    known = np.isin(values, (0, 1))
    if not known.all():
        row = int((~known).argmax())
        raise LoanwatchError(f"label {shorten(values[row])} of row {row} is neither 0 nor 1")
    positive: NDArray[np.bool_] = values.astype(np.float64) == 1.0
    return positive
