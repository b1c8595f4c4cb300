"""How the columns hang together: a Gaussian copula."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ContractError

__all__ = ["DEPENDENT", "cholesky", "correlation", "flipped_loading"]

DEPENDENT: Final = (
    "current_loan_amount",
    "term",
    "credit_score",
    "years_in_current_job",
    "home_ownership",
    "annual_income",
    "monthly_debt",
    "years_of_credit_history",
    "months_since_last_delinquent",
    "no_of_open_accounts",
    "no_of_credit_problems",
    "current_credit_balance",
    "max_open_credit",
    "tax_liens",
)
"""Columns that depend on one another; the others are independent of everything."""

_PAIRS: Final = {
    ("current_loan_amount", "term"): 0.58,
    ("current_loan_amount", "credit_score"): -0.16,
    ("current_loan_amount", "years_in_current_job"): 0.13,
    ("current_loan_amount", "home_ownership"): 0.15,
    ("current_loan_amount", "annual_income"): 0.46,
    ("current_loan_amount", "monthly_debt"): 0.44,
    ("current_loan_amount", "years_of_credit_history"): 0.18,
    ("current_loan_amount", "no_of_open_accounts"): 0.24,
    ("current_loan_amount", "no_of_credit_problems"): -0.15,
    ("current_loan_amount", "current_credit_balance"): 0.46,
    ("current_loan_amount", "max_open_credit"): 0.43,
    ("term", "credit_score"): -0.50,
    ("term", "annual_income"): 0.13,
    ("term", "monthly_debt"): 0.18,
    ("term", "current_credit_balance"): 0.18,
    ("term", "max_open_credit"): 0.15,
    ("credit_score", "annual_income"): 0.10,
    ("credit_score", "monthly_debt"): -0.09,
    ("credit_score", "years_of_credit_history"): 0.09,
    ("credit_score", "no_of_credit_problems"): -0.15,
    ("credit_score", "max_open_credit"): 0.20,
    ("years_in_current_job", "home_ownership"): 0.18,
    ("years_in_current_job", "annual_income"): 0.18,
    ("years_in_current_job", "monthly_debt"): 0.15,
    ("years_in_current_job", "years_of_credit_history"): 0.26,
    ("years_in_current_job", "current_credit_balance"): 0.14,
    ("years_in_current_job", "max_open_credit"): 0.12,
    ("home_ownership", "annual_income"): 0.22,
    ("home_ownership", "monthly_debt"): 0.16,
    ("home_ownership", "years_of_credit_history"): 0.24,
    ("home_ownership", "no_of_open_accounts"): 0.14,
    ("home_ownership", "current_credit_balance"): 0.16,
    ("home_ownership", "max_open_credit"): 0.21,
    ("annual_income", "monthly_debt"): 0.60,
    ("annual_income", "years_of_credit_history"): 0.27,
    ("annual_income", "no_of_open_accounts"): 0.27,
    ("annual_income", "current_credit_balance"): 0.38,
    ("annual_income", "max_open_credit"): 0.38,
    ("monthly_debt", "years_of_credit_history"): 0.20,
    ("monthly_debt", "no_of_open_accounts"): 0.45,
    ("monthly_debt", "current_credit_balance"): 0.52,
    ("monthly_debt", "max_open_credit"): 0.38,
    ("years_of_credit_history", "months_since_last_delinquent"): -0.10,
    ("years_of_credit_history", "no_of_open_accounts"): 0.10,
    ("years_of_credit_history", "no_of_credit_problems"): 0.12,
    ("years_of_credit_history", "current_credit_balance"): 0.27,
    ("years_of_credit_history", "max_open_credit"): 0.28,
    ("months_since_last_delinquent", "no_of_credit_problems"): 0.15,
    ("no_of_open_accounts", "current_credit_balance"): 0.35,
    ("no_of_open_accounts", "max_open_credit"): 0.49,
    ("no_of_credit_problems", "current_credit_balance"): -0.25,
    ("no_of_credit_problems", "max_open_credit"): -0.25,
    ("no_of_credit_problems", "tax_liens"): 0.62,
    ("current_credit_balance", "max_open_credit"): 0.73,
}
"""Correlations of the normal scores, near the rank correlations of real applications."""

WEAKEST_TO_FLIP: Final = 0.05
_SMALLEST_OWN_PART: Final = 0.2
"""Weight of a column's own part below which it would be a plain sum of the others."""


@lru_cache(maxsize=1)
def correlation() -> NDArray[np.float64]:
    """Return the correlation matrix of the normal scores, in the order of `DEPENDENT`."""
    matrix = np.eye(len(DEPENDENT))
    for (first, second), value in _PAIRS.items():
        i, j = DEPENDENT.index(first), DEPENDENT.index(second)
        matrix[i, j] = matrix[j, i] = value
    return matrix


@lru_cache(maxsize=1)
def cholesky() -> NDArray[np.float64]:
    """Return the lower factor of `correlation()`."""
    return np.asarray(np.linalg.cholesky(correlation()), dtype=np.float64)


@lru_cache(maxsize=64)
def flipped_loading(kept: str, flipped: str) -> tuple[NDArray[np.float64], float, NDArray[np.float64], float]:
    """Return how to redraw `flipped` so that its correlation with `kept` changes sign.

    The score of `flipped` is `others @ w + s * own`, where `own` is standard normal and independent of the others.
    Where the other columns tie the two too closely for one sign alone to change, the other correlations of `flipped`
    are weakened, all by the same factor and only as far as needed.

    Returns
    -------
    w_before, s_before, w_after, s_after
        Loadings on the other columns (shape (n_dependent,), zero at `flipped`) and the weight of the own part.

    Raises
    ------
    ContractError
        If the two columns are (nearly) uncorrelated or one of them is independent of everything.
    """
    for name in (kept, flipped):
        if name not in DEPENDENT:
            raise ContractError(f"correlation flip: {name} is independent of every other column")
    matrix, i, j = correlation(), DEPENDENT.index(kept), DEPENDENT.index(flipped)
    if abs(matrix[i, j]) < WEAKEST_TO_FLIP:
        raise ContractError(f"correlation flip: {kept} and {flipped} are not correlated, there is nothing to flip")
    w_before, s_before = _loading(matrix, j, matrix[j])
    for factor in np.linspace(1, 0, 51):
        wanted = matrix[j] * factor
        wanted[i] = -matrix[j, i]
        w_after, s_after = _loading(matrix, j, wanted)
        if s_after >= _SMALLEST_OWN_PART:
            return w_before, s_before, w_after, s_after
    raise ContractError(f"correlation flip: the other columns tie {flipped} to {kept} too closely")


def _loading(matrix: NDArray[np.float64], j: int, wanted: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    others = np.arange(len(matrix)) != j
    weights = np.zeros(len(matrix))
    weights[others] = np.linalg.solve(matrix[np.ix_(others, others)], wanted[others])
    rest = 1 - float(weights[others] @ wanted[others])
    return weights, float(np.sqrt(max(rest, 0.0)))
