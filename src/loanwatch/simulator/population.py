"""Draw applicants: dependent normal scores, turned into columns, with values that nobody knows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ContractError
from loanwatch.records import record
from loanwatch.simulator.batch import CUSTOMER_AND_CREDIT, Batch
from loanwatch.simulator.dependence import DEPENDENT, cholesky
from loanwatch.simulator.marginals import CATEGORICAL, NUMERIC, from_normal
from loanwatch.statistics.special import ndtri

__all__ = ["Population"]

_PROBLEM_FREE: Final = 0.886
"""Share of applicants without any credit problem."""
_PROBLEMS_BEYOND: Final = (0.886, 0.987, 0.9965, 0.9988, 0.9995, 0.9998, 0.99993)
"""Share with at most 0, 1, 2, … credit problems."""
_LIENS_BEYOND: Final = (0.982, 0.995, 0.9985, 0.9995, 0.9998, 0.99995)
_BANKRUPT_GIVEN_PROBLEM: Final = 0.84
_BANKRUPT_TWICE: Final = 0.045


@record
class Population:
    """Who applies, and how much of it the source knows. Shares are of all rows unless said otherwise, in [0, 1]."""

    approval_rate: float = 0.76
    """P(given) over all applicants."""
    ambiguous_share: float = 0.354
    """Applicants with contradicting records, whose customer and credit columns are therefore not known."""
    income_score_missing: float = 0.2425
    """Of the applicants with a record: annual_income and credit_score are missing, always together."""
    job_missing: float = 0.0439
    """Of the applicants with a record: years_in_current_job is missing."""
    never_delinquent: float = 0.565
    """Of the applicants with a record: months_since_last_delinquent is missing."""
    bankruptcies_missing: float = 0.0028
    """Of the applicants with a record."""
    tax_liens_missing: float = 0.00014
    sentinel_share: float = 0.123
    """Loan amounts recorded as 99,999,999."""
    tenfold_share: float = 0.10
    """Of the known credit scores: recorded ten times too large."""
    unreadable_share: float = 0.0003
    """Of the applicants with a record: `#VALUE!` in monthly_debt, and as many in max_open_credit."""
    duplicate_share: float = 0.01
    """Loan rows that the source holds twice."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < 1:
                raise ContractError(f"population: {name} is a share in [0, 1), got {value}")
        if self.approval_rate == 0:
            raise ContractError("population: approval_rate is above 0, or there is nothing to tell apart")

    def missing_rate(self, column: str) -> float:
        """Return the share of rows in which a cleaned column is not known."""
        record = 1 - self.ambiguous_share
        known = {
            "current_loan_amount": 1 - self.sentinel_share,
            "tax_liens": 1 - self.tax_liens_missing,
            "annual_income": record * (1 - self.income_score_missing),
            "credit_score": record * (1 - self.income_score_missing),
            "years_in_current_job": record * (1 - self.job_missing),
            "months_since_last_delinquent": record * (1 - self.never_delinquent),
            "bankruptcies": record * (1 - self.bankruptcies_missing),
            "monthly_debt": record * (1 - self.unreadable_share),
            "max_open_credit": record * (1 - self.unreadable_share),
        }
        return 1 - known.get(column, record if column in CUSTOMER_AND_CREDIT else 1.0)

    def draw_scores(self, rows: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return dependent standard normal scores of shape (rows, n_dependent), columns in the order of `DEPENDENT`."""
        return np.asarray(rng.standard_normal((rows, len(DEPENDENT))) @ cholesky().T, dtype=np.float64)

    def draw_columns(self, scores: NDArray[np.float64], rng: np.random.Generator) -> Batch:
        """Turn normal scores into columns; the columns that depend on nothing are drawn from `rng`."""
        rows = len(scores)
        by_name = dict(zip(DEPENDENT, scores.T, strict=True))
        numbers = {name: from_normal(marginal, by_name[name]) for name, marginal in NUMERIC.items()}
        problems = by_name["no_of_credit_problems"]
        numbers["no_of_credit_problems"] = _count(problems, _PROBLEMS_BEYOND)
        numbers["bankruptcies"] = _bankruptcies(problems > ndtri(_PROBLEM_FREE), rng)
        numbers["tax_liens"] = _count(by_name["tax_liens"], _LIENS_BEYOND)
        for name, levels in (("no_of_properties", 5), ("no_of_cars", 6), ("no_of_children", 4)):
            numbers[name] = rng.integers(0, levels, rows).astype(np.float64)
        by_name["purpose"] = rng.standard_normal(rows)
        codes = {name: _codes(by_name[name], marginal.shares) for name, marginal in CATEGORICAL.items()}
        return Batch(
            numbers=numbers,
            codes=codes,
            categories={name: list(marginal.categories) for name, marginal in CATEGORICAL.items()},
            ambiguous=np.zeros(rows, dtype=np.bool_),
            sentinel=np.zeros(rows, dtype=np.bool_),
            tenfold=np.zeros(rows, dtype=np.bool_),
            unreadable={name: np.zeros(rows, dtype=np.bool_) for name in ("monthly_debt", "max_open_credit")},
        )

    def forget(self, batch: Batch, rng: np.random.Generator) -> None:
        """Mark in `batch` what the source does not know; nothing of it depends on any value or on the label."""
        ambiguous, income, job, delinquent, bankrupt, liens, sentinel, unreadable, tenfold = rng.random((9, batch.rows))
        batch.ambiguous = ambiguous < self.ambiguous_share
        batch.sentinel = sentinel < self.sentinel_share
        for name in CUSTOMER_AND_CREDIT:
            batch.hide(name, batch.ambiguous)
        for name in ("annual_income", "credit_score"):
            batch.hide(name, income < self.income_score_missing)
        # disjoint from the sentinel, as in reality: otherwise not both could decide the label
        wrong_score = tenfold < self.tenfold_share / (1 - self.sentinel_share)
        batch.tenfold = wrong_score & batch.known("credit_score") & ~batch.sentinel
        batch.hide("years_in_current_job", job < self.job_missing)
        batch.hide("months_since_last_delinquent", delinquent < self.never_delinquent)
        batch.hide("bankruptcies", bankrupt < self.bankruptcies_missing)
        batch.hide("tax_liens", liens < self.tax_liens_missing)
        batch.hide("current_loan_amount", batch.sentinel)
        has_record = ~batch.ambiguous
        batch.unreadable["monthly_debt"] = has_record & (unreadable < self.unreadable_share)
        batch.unreadable["max_open_credit"] = has_record & (unreadable > 1 - self.unreadable_share)
        for name, where in batch.unreadable.items():
            batch.hide(name, where)


def _count(scores: NDArray[np.float64], shares_at_most: tuple[float, ...]) -> NDArray[np.float64]:
    return np.searchsorted(ndtri(np.asarray(shares_at_most)), scores).astype(np.float64)


def _bankruptcies(has_problem: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float64]:
    uniform = rng.random(len(has_problem))
    once = has_problem & (uniform < _BANKRUPT_GIVEN_PROBLEM)
    return once.astype(np.float64) + (has_problem & (uniform < _BANKRUPT_TWICE))


def _codes(scores: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), scores).astype(np.int16)
