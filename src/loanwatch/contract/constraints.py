"""What a value of a contract file may be, said beside its type.

pydantic asks for it when a contract is read. It is imported no sooner, because to compare two tables without a contract
needs none, and takes a tenth less time then.
"""

from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["Exact", "Number", "Text"]


class _Constraint:
    """Keywords of one of pydantic's annotations."""

    annotation: str

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401  (numbers, flags, a pattern)
        self._keywords = keywords

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":  # noqa: ANN401
        import pydantic

        return handler.generate_schema(Annotated[source, getattr(pydantic, self.annotation)(**self._keywords)])


class Exact(_Constraint):
    """The type itself, and nothing that could be turned into it: `"yes"` is no Boolean."""

    annotation = "Strict"


class Number(_Constraint):
    """`ge`, `gt`, `le`, `lt`, and of lists `min_length`, as `pydantic.Field` has them."""

    annotation = "Field"


class Text(_Constraint):
    """`pattern`, `strip_whitespace`, `to_lower`, as `pydantic.StringConstraints` has them."""

    annotation = "StringConstraints"
