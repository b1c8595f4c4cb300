"""Read a contract file; every complaint names the key and what was expected."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from loanwatch.contract.model import Contract
from loanwatch.errors import ContractError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["contract_values", "default_contract", "load_contract", "parse_contract"]

_SHOWN = 5
_REASONS = {"unexpected_keyword_argument": "there is no such key"}


def default_contract() -> Contract:
    """Return the contract that ships with loanwatch: loan eligibility in three tables.

    >>> default_contract().label.positive
    'loan given'
    """
    with resources.as_file(resources.files("loanwatch.contract") / "loan_eligibility.toml") as path:
        return load_contract(path)


def load_contract(path: Path) -> Contract:
    """Read a contract from a TOML file and the extraction query that lies beside it.

    Raises
    ------
    ContractError
        If a file is missing or unreadable, or a key is unknown, missing or of the wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(f"contract {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"contract {path} is not valid TOML: {error}") from error
    contract = parse_contract(values, source=str(path))
    query_path = path.parent / contract.extract_sql
    try:
        query = query_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"contract {path}: extract_sql names {query_path}, which cannot be read") from error
    return replace(contract, extract_query=query)


def parse_contract(values: dict[str, Any], *, source: str = "contract") -> Contract:
    """Check the values of a contract.

    Parameters
    ----------
    values : dict
        What the TOML file, or a stored contract, holds.
    source : str
        Where the values come from; opens the message of an error.

    Raises
    ------
    ContractError
        With the dotted key and what was expected there.
    """
    from pydantic import ValidationError

    try:
        return _reader().validate_python(values)
    except ValidationError as error:
        raise ContractError(f"{source}: {describe_validation_error(error, values)}") from error


def contract_values(contract: Contract) -> dict[str, Any]:
    """Return a contract as JSON takes it; `parse_contract` reads it again."""
    values: dict[str, Any] = _reader().dump_python(contract, mode="json")
    return values


@cache
def _reader() -> "TypeAdapter[Contract]":
    """Return what checks and builds contracts; pydantic is imported where there is one to read."""
    from pydantic import AfterValidator, TypeAdapter

    return TypeAdapter(Annotated[Contract, AfterValidator(_checked)])


def _checked(contract: Contract) -> Contract:
    contract.check()
    return contract


def describe_validation_error(error: "ValidationError", values: Any = None) -> str:  # noqa: ANN401
    """Return pydantic's complaints, each as `key: what was expected, got …`.

    Parameters
    ----------
    error : ValidationError
    values : optional
        What was checked: an entry of a list is then called by its name rather than by its position.
    """
    complaints = error.errors(include_url=False)
    more = len(complaints) - _SHOWN
    told = "; ".join(_complaint(one, values) for one in complaints[:_SHOWN])
    return f"{told} (and {more} more)" if more > 0 else told


def _complaint(complaint: "ErrorDetails", values: Any) -> str:  # noqa: ANN401
    reason = _REASONS.get(complaint["type"]) or complaint["msg"].removeprefix("Value error, ")
    got = "" if complaint["type"] in ("missing", "value_error") else f", got {str(complaint['input'])[:80]!r}"
    key = ".".join(_named(complaint["loc"], values))
    return f"{key}: {reason}{got}" if key else f"{reason}{got}"


def _named(location: tuple[int | str, ...], values: Any) -> Iterator[str]:  # noqa: ANN401
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):  # a key that is missing
            values = None
        name = values.get("name") if isinstance(part, int) and isinstance(values, Mapping) else None
        yield str(name) if isinstance(name, str) and name else str(part)
