"""Compare any two tables: files, frames or queries, with a contract or with one inferred from the data."""

from loanwatch.comparison.compare import compare
from loanwatch.comparison.result import TableComparison

__all__ = ["TableComparison", "compare"]
