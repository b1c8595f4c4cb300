"""The applications of one stretch of time while they are being made."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["CREDIT", "CUSTOMER", "CUSTOMER_AND_CREDIT", "LOAN", "PREDICTORS", "Batch"]

LOAN: Final = ("current_loan_amount", "term", "tax_liens", "purpose", "no_of_properties")
CUSTOMER: Final = (
    "home_ownership",
    "annual_income",
    "years_in_current_job",
    "months_since_last_delinquent",
    "no_of_cars",
    "no_of_children",
)
CREDIT: Final = (
    "credit_score",
    "monthly_debt",
    "years_of_credit_history",
    "no_of_open_accounts",
    "no_of_credit_problems",
    "current_credit_balance",
    "max_open_credit",
    "bankruptcies",
)
CUSTOMER_AND_CREDIT: Final = CUSTOMER + CREDIT
RATIO: Final = "current_credit_balance_ratio"
PREDICTORS: Final = (
    "current_loan_amount",
    "term",
    "credit_score",
    "years_in_current_job",
    "home_ownership",
    "annual_income",
    "purpose",
    "monthly_debt",
    "years_of_credit_history",
    "months_since_last_delinquent",
    "no_of_open_accounts",
    "no_of_credit_problems",
    "current_credit_balance",
    "max_open_credit",
    "bankruptcies",
    "tax_liens",
    "no_of_properties",
    "no_of_cars",
    "no_of_children",
    RATIO,
)


@dataclass(kw_only=True)
class Batch:
    """Columns of equal length. Mutable on purpose: events edit it in place, one after the other."""

    numbers: dict[str, NDArray[np.float64]]
    """Column → values, NaN where not known."""
    codes: dict[str, NDArray[np.int16]]
    """Column → position in `categories`, -1 where not known."""
    categories: dict[str, list[str]]
    ambiguous: NDArray[np.bool_]
    """Applicants with contradicting records."""
    sentinel: NDArray[np.bool_]
    """Loan amounts recorded as the sentinel."""
    tenfold: NDArray[np.bool_]
    """Credit scores recorded ten times too large."""
    unreadable: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Column of amounts in text → where a spreadsheet error stands instead of the amount."""

    @property
    def rows(self) -> int:
        """Number of applications."""
        return len(self.codes["term"])

    def known(self, column: str) -> NDArray[np.bool_]:
        """Return where a column has a value."""
        return self.codes[column] >= 0 if column in self.codes else np.isfinite(self.numbers[column])

    def hide(self, column: str, where: NDArray[np.bool_]) -> None:
        """Forget a column's values where `where` is true."""
        if column in self.codes:
            self.codes[column][where] = -1
        else:
            self.numbers[column][where] = np.nan

    def code_of(self, column: str, category: str) -> int:
        """Return the code of a category, added to the column's list where it is new."""
        names = self.categories[column]
        if category not in names:
            names.append(category)
        return names.index(category)

    def copy(self) -> "Batch":
        """Return a batch that can be edited without touching this one."""
        return self.take(slice(None))

    def take(self, rows: NDArray[np.intp] | slice) -> "Batch":
        """Return the given rows as a batch of their own."""
        return Batch(
            numbers={k: v[rows].copy() for k, v in self.numbers.items()},
            codes={k: v[rows].copy() for k, v in self.codes.items()},
            categories={k: list(v) for k, v in self.categories.items()},
            ambiguous=self.ambiguous[rows].copy(),
            sentinel=self.sentinel[rows].copy(),
            tenfold=self.tenfold[rows].copy(),
            unreadable={k: v[rows].copy() for k, v in self.unreadable.items()},
        )

    def put(self, rows: NDArray[np.intp], other: "Batch", source: NDArray[np.intp]) -> None:
        """Replace the given rows by rows of another batch with the same categories."""
        for column, values in self.numbers.items():
            values[rows] = other.numbers[column][source]
        for column, codes in self.codes.items():
            codes[rows] = other.codes[column][source]
        self.ambiguous[rows] = other.ambiguous[source]
        self.sentinel[rows] = other.sentinel[source]
        self.tenfold[rows] = other.tenfold[source]
        for column, unreadable in self.unreadable.items():
            unreadable[rows] = other.unreadable[column][source]

    def to_frame(self) -> pl.DataFrame:
        """Return the 20 predictors: numbers as Float64, categories as text, null where not known."""
        frame = pl.DataFrame([self.series(name) for name in PREDICTORS if name != RATIO])
        amount = pl.col("current_loan_amount")
        ratio = pl.when(amount > 0).then(pl.col("current_credit_balance") / amount)
        return frame.with_columns(ratio.alias(RATIO)).select(PREDICTORS)

    def series(self, column: str) -> pl.Series:
        """Return one column, null where not known."""
        if column in self.codes:
            return decode(column, self.codes[column], self.categories[column])
        return pl.Series(column, self.numbers[column], nan_to_null=True)


def decode(name: str, codes: NDArray[np.int16], categories: list[str]) -> pl.Series:
    """Turn codes into text; -1 becomes null."""
    positions = pl.Series(codes.astype(np.int32)).cast(pl.UInt32, strict=False)  # -1 does not fit and becomes null
    return pl.Series(name, categories, dtype=pl.String).gather(positions).alias(name)
