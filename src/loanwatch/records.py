"""The type of every value that loanwatch passes on: a frozen dataclass of keyword fields.

`dataclasses.dataclass` compiles six methods for each class, which takes half a millisecond; a command imports a hundred
such classes before it begins. Only `__init__` has to be compiled for a class: here the other five are shared.
"""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast, dataclass_transform, overload

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class _Record(DataclassInstance, Protocol):
        __record_fields__: ClassVar[frozenset[str]]


__all__ = ["record"]

T = TypeVar("T")


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, /, *, eq: bool = True) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class what `dataclass(frozen=True, kw_only=True)` makes it, sooner.

    A class derived from it has to be a record as well. Slots and a `__setattr__` of its own are refused.

    Parameters
    ----------
    eq : bool
        Whether two of them are equal where their fields are. Without it each equals itself alone, which is what
        fields that are arrays need.

    Examples
    --------
    >>> @record
    ... class Interval:
    ...     low: float
    ...     high: float
    >>> Interval(low=0.2, high=0.4)
    Interval(low=0.2, high=0.4)
    >>> Interval(low=0.2, high=0.4) == Interval(low=0.2, high=0.4)
    True
    >>> Interval(low=0.2, high=0.4).low = 0.3
    Traceback (most recent call last):
    dataclasses.FrozenInstanceError: cannot assign to field 'low'
    """
    if cls is None:
        return lambda cls: _made(cls, eq=eq)
    return _made(cls, eq=eq)


def _made(cls: type[T], *, eq: bool) -> type[T]:
    own = vars(cls)
    if "__slots__" in own or "__setattr__" in own:
        raise TypeError(f"{cls.__name__}: a record has no slots, and no __setattr__ of its own")
    shared: dict[str, Any] = {"__repr__": _repr, "__setattr__": _set_once, "__delattr__": _keep}
    if eq:
        shared |= {"__eq__": _equal, "__hash__": _hash}
    for name, method in shared.items():
        # A class that defines `__eq__` gets a `__hash__` of None from Python, which is not one of its own.
        if own.get(name) is None:
            setattr(cls, name, method)
    if not own.get("__doc__"):
        cls.__doc__ = cls.__name__  # else one is made of the signature, which takes as long as a method
    made: Any = dataclass(kw_only=True, eq=False, repr=False)(cls)
    made.__record_fields__ = frozenset(each.name for each in fields(made))
    return cast("type[T]", made)


def _compared(self: "DataclassInstance") -> tuple[Any, ...]:
    return tuple(getattr(self, each.name) for each in fields(self) if each.compare)


def _equal(self: "DataclassInstance", other: "DataclassInstance") -> bool:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: "DataclassInstance") -> int:
    hashed = (each for each in fields(self) if (each.compare if each.hash is None else each.hash))
    return hash(tuple(getattr(self, each.name) for each in hashed))


@recursive_repr()
def _repr(self: "DataclassInstance") -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _set_once(self: "_Record", name: str, value: object) -> None:
    """Set a field when the object is made, and nothing after."""
    if name in self.__dict__ or name not in self.__record_fields__:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _keep(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
