"""Labels as numbers."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract

__all__ = ["label_numbers"]


def label_numbers(frame: pl.DataFrame, contract: Contract) -> NDArray[np.float64]:
    """Return 1 for the positive label, 0 for the negative one and NaN where it is neither or not known.

    Parameters
    ----------
    frame : DataFrame of n rows
        Cleaned, or with the contract's words as they are.
    contract : Contract
        Names the label's column and words.

    Returns
    -------
    ndarray of shape (n,)
        All NaN where the column is absent.
    """
    label = contract.label
    if label.column not in frame.columns:
        return np.full(frame.height, np.nan)
    words = pl.col(label.column).cast(pl.String)
    number = pl.when(words == label.positive).then(1.0).when(words == label.negative).then(0.0).otherwise(np.nan)
    return frame.select(number.cast(pl.Float64)).to_series().to_numpy()
