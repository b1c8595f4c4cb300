"""loanwatch: train, serve and watch a loan-eligibility model whose applications lie in PostgreSQL."""

__version__ = "0.1.0"

__all__ = ["__version__"]
