"""loanwatch: train, serve and watch a loan-eligibility model whose applications lie in PostgreSQL."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loanwatch.comparison import compare

__version__ = "0.1.0"

__all__ = ["__version__", "compare"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (whatever the module offers)
    """Import `compare` when it is first asked for, so that `import loanwatch` stays light."""
    if name == "compare":
        from loanwatch.comparison import compare  # noqa: PLC0415

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
