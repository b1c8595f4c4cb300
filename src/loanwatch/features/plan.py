"""What the contract asks of each column, worked out once a contract instead of once a call."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, wraps
from typing import Self, TypeVar

import polars as pl

from loanwatch.contract import Column, Contract, Kind
from loanwatch.features.text import word_value
from loanwatch.records import record

__all__ = ["ISSUES", "ColumnPlan", "dtype_of", "issue_dtype", "per_contract", "plans_of"]

ISSUES = ("sentinel", "out_of_range", "unreadable", "rescaled", "respelled")
"""Why `clean` changed or dropped a value."""

_DTYPES: Mapping[Kind, pl.DataType] = {
    Kind.NUMERIC: pl.Float64(),
    Kind.CATEGORICAL: pl.String(),
    Kind.ID: pl.String(),
    Kind.TEXT: pl.String(),
    Kind.TIME: pl.Datetime("us", "UTC"),
}

Result = TypeVar("Result")


@cache
def issue_dtype() -> pl.Enum:
    """Return the type of an issue column."""
    return pl.Enum(ISSUES)


def dtype_of(kind: Kind) -> pl.DataType:
    """Return the type of a cleaned column of this kind."""
    return _DTYPES[kind]


@record
class ColumnPlan:
    """How one column is cleaned."""

    name: str
    kind: Kind
    minimum: float
    maximum: float
    sentinels: tuple[float, ...]
    tenfold: bool
    spellings: Mapping[str, str]
    """Spelling found → spelling meant, both as `word_value` leaves them; empty where nothing is known."""
    formats: tuple[str, ...]

    @classmethod
    def of(cls, column: Column, contract: Contract) -> Self:
        """Work out the plan of a column."""
        found = {word_value(k) or "": word_value(v) or "" for k, v in column.spellings.items()}
        return cls(
            name=column.name,
            kind=Kind.TIME if column.name == contract.time.column else column.kind,
            minimum=float("-inf") if column.minimum is None else column.minimum,
            maximum=float("inf") if column.maximum is None else column.maximum,
            sentinels=column.sentinels,
            tenfold=column.tenfold,
            spellings={k: v for k, v in found.items() if k and k != v},
            formats=contract.time.formats,
        )


class _ByIdentity:
    """A contract as a cache key: it holds dictionaries, so it has no hash of its own."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def __hash__(self) -> int:
        return id(self.contract)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.contract is self.contract


def per_contract(function: Callable[[Contract], Result]) -> Callable[[Contract], Result]:
    """Remember what a function returned for the contracts used last."""
    cached = lru_cache(maxsize=8)(lambda key: function(key.contract))

    @wraps(function)
    def remembered(contract: Contract) -> Result:
        return cached(_ByIdentity(contract))

    return remembered


@per_contract
def plans_of(contract: Contract) -> tuple[ColumnPlan, ...]:
    """Return the plan of every source column, in the contract's order."""
    return tuple(ColumnPlan.of(column, contract) for column in contract.columns)
