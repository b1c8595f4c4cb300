"""What each column of the population looks like on its own: quantiles of the numbers, shares of the categories.

Figures: published summary of the loan-eligibility extract, 2015-01 to 2015-05 (21,952 loans). Quartiles, means,
standard deviations and maxima are its figures; the other quantiles are chosen so that mean and deviation agree.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.special import ndtr, ndtri

__all__ = ["CATEGORICAL", "NUMERIC", "Categorical", "Numeric", "from_normal"]

_TABLE_REACH: Final = 4.75
"""Normal scores beyond ±4.75 (one in a million) take the end of the table."""
_TABLE_SIZE: Final = 1_025


@record
class Numeric:
    """A numeric column, given by quantiles between which it is interpolated on the normal scale."""

    probabilities: tuple[float, ...]
    quantiles: tuple[float, ...]
    decimals: int = 0
    logarithmic: bool = False
    """Interpolate logarithms: for amounts with a long right tail."""

    def table(self) -> NDArray[np.float64]:
        """Return the quantiles at `_TABLE_SIZE` even steps of the normal score."""
        return _numeric_table(self)


@record
class Categorical:
    """A categorical column, given by the shares of its categories in their order."""

    categories: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each category, summing to 1."""
        weights = np.asarray(self.weights, dtype=np.float64)
        return np.asarray(weights / weights.sum(), dtype=np.float64)


@lru_cache(maxsize=64)
def _numeric_table(marginal: Numeric) -> NDArray[np.float64]:
    grid = np.linspace(-_TABLE_REACH, _TABLE_REACH, _TABLE_SIZE)
    ends = (ndtr(-_TABLE_REACH), ndtr(_TABLE_REACH))
    scores = ndtri(np.clip(np.asarray(marginal.probabilities), *ends))
    quantiles = np.asarray(marginal.quantiles, dtype=np.float64)
    if marginal.logarithmic:
        return np.asarray(np.expm1(np.interp(grid, scores, np.log1p(quantiles))), dtype=np.float64)
    return np.interp(grid, scores, quantiles)


def from_normal(marginal: Numeric, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn standard normal scores into values with the given marginal distribution.

    Parameters
    ----------
    marginal : Numeric
        The distribution wanted.
    scores : ndarray of shape (n,)
        Standard normal.

    Returns
    -------
    ndarray of shape (n,)
        Values, rounded to the column's decimals.

    Examples
    --------
    >>> from_normal(NUMERIC["credit_score"], np.array([0.0]))
    array([737.])
    """
    step = 2 * _TABLE_REACH / (_TABLE_SIZE - 1)
    position = np.clip((scores + _TABLE_REACH) / step, 0, _TABLE_SIZE - 1.000001)
    below = position.astype(np.int32)
    table = marginal.table()
    slope = np.diff(table, append=table[-1])
    return np.asarray(np.round(table[below] + (position - below) * slope[below], marginal.decimals), dtype=np.float64)


_P: Final = (0.0, 0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99, 0.9999, 1.0)

NUMERIC: Final[dict[str, Numeric]] = {
    # Without the sentinel: a quantile q over all rows is the quantile q / (1 - sentinel share) of the real amounts.
    "current_loan_amount": Numeric(
        probabilities=(0.0, 0.01, 0.05, 0.285, 0.57, 0.855, 0.96, 0.99, 1.0),
        quantiles=(975, 1_490, 3_340, 8_176, 14_164, 23_757, 31_600, 35_400, 35_875),
    ),
    "annual_income": Numeric(
        probabilities=_P,
        quantiles=(4_000, 18_700, 27_500, 44_574, 61_417, 86_328, 144_000, 240_000, 1_100_000, 6_000_000),
        logarithmic=True,
    ),
    # The published quartiles count the tenfold scores, about one in ten, as the largest values.
    "credit_score": Numeric(
        probabilities=(0.0, 0.01, 0.05, 0.10, 0.278, 0.556, 0.833, 0.95, 0.99, 1.0),
        quantiles=(585, 631, 681, 702, 729, 739, 746, 749, 751, 751),
    ),
    "monthly_debt": Numeric(
        probabilities=_P,
        quantiles=(0, 80, 195, 524, 827, 1_224, 1_960, 2_850, 7_500, 16_000),
        decimals=2,
    ),
    "years_of_credit_history": Numeric(probabilities=_P, quantiles=(3.6, 6.6, 9.2, 13.7, 17.3, 22.2, 32.3, 40, 56, 60)),
    "months_since_last_delinquent": Numeric(probabilities=_P, quantiles=(0, 1, 5, 16, 32, 51, 74, 80, 120, 176)),
    "no_of_open_accounts": Numeric(probabilities=_P, quantiles=(1, 3, 4.8, 7.6, 10.3, 13.8, 20, 26, 45, 76)),
    "current_credit_balance": Numeric(
        probabilities=_P,
        quantiles=(0, 210, 1_550, 5_992, 11_077, 19_134, 40_000, 80_000, 480_000, 1_730_000),
        logarithmic=True,
    ),
    "max_open_credit": Numeric(
        probabilities=_P,
        quantiles=(0, 1_150, 5_000, 13_800, 23_300, 38_200, 77_000, 136_000, 4_000_000, 20_000_000),
        logarithmic=True,
    ),
}

_PURPOSES: Final = {
    "debt consolidation": 17_229,
    "other": 2_130,
    "home improvements": 1_260,
    "business loan": 372,
    "buy a car": 300,
    "medical bills": 233,
    "buy house": 120,
    "take a trip": 119,
    "major purchase": 64,
    "small business": 58,
    "moving": 35,
    "wedding": 14,
    "vacation": 10,
    "educational expenses": 6,
    "renewable energy": 2,
}

_JOBS: Final = {
    "< 1 year": 1_190,
    "1 year": 840,
    "2 years": 1_230,
    "3 years": 1_085,
    "4 years": 846,
    "5 years": 993,
    "6 years": 952,
    "7 years": 779,
    "8 years": 660,
    "9 years": 619,
    "10+ years": 4_366,
}

CATEGORICAL: Final[dict[str, Categorical]] = {
    "term": Categorical(categories=("short term", "long term"), weights=(16_073, 5_879)),
    "home_ownership": Categorical(categories=("rent", "home mortgage", "own home"), weights=(5_858, 6_955, 1_370)),
    "years_in_current_job": Categorical(categories=tuple(_JOBS), weights=tuple(_JOBS.values())),
    "purpose": Categorical(categories=tuple(_PURPOSES), weights=tuple(_PURPOSES.values())),
}
