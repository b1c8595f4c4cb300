"""A record is what `dataclass(frozen=True, kw_only=True)` makes, made sooner."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from loanwatch.records import record

Make = Callable[[type], type]
standard: Make = dataclass(frozen=True, kw_only=True)


def described(make: Make) -> type[Any]:
    @make
    class Window:
        unit: ClassVar[str] = "row"
        rows: int
        names: tuple[str, ...] = ()
        shares: list[float] = field(default_factory=list, compare=False)
        secret: str = field(default="", repr=False)
        note: str = field(default="", hash=False, repr=False)

        def __post_init__(self) -> None:
            if self.rows < 0:
                raise ValueError("rows: below 0")

        @cached_property
        def doubled(self) -> int:
            return 2 * self.rows

    return Window


@pytest.fixture(params=[standard, record], ids=["dataclass", "record"])
def window(request: pytest.FixtureRequest) -> type[Any]:
    return described(request.param)


def test_a_field_keeps_its_value(window: type[Any]) -> None:
    made = window(rows=3)
    for change in (
        lambda: setattr(made, "rows", 4),
        lambda: setattr(made, "other", 4),
        lambda: setattr(made, "unit", "day"),
        lambda: delattr(made, "rows"),
    ):
        with pytest.raises(FrozenInstanceError):
            change()
    assert made.rows == 3
    assert made.doubled == 6
    assert not hasattr(made, "other")


def test_fields_are_given_by_name(window: type[Any]) -> None:
    with pytest.raises(TypeError, match="positional"):
        window(3)
    with pytest.raises(TypeError, match="rows"):
        window()
    with pytest.raises(ValueError, match="below 0"):
        window(rows=-1)


def test_they_are_equal_where_their_compared_fields_are(window: type[Any]) -> None:
    assert window(rows=3, shares=[0.5]) == window(rows=3)
    assert hash(window(rows=3, shares=[0.5], note="x")) == hash(window(rows=3))
    assert window(rows=3, note="x") != window(rows=3)
    assert window(rows=3) != window(rows=4)
    assert window(rows=3) != described(record)(rows=3)
    assert window(rows=3) != 3


def test_it_shows_its_fields(window: type[Any]) -> None:
    assert repr(window(rows=3, secret="x")).endswith("Window(rows=3, names=(), shares=[])")
    endless = window(rows=1, shares=[])
    endless.shares.append(endless)
    assert repr(endless).endswith("Window(rows=1, names=(), shares=[...])")


def test_it_is_copied_changed_and_stored(window: type[Any]) -> None:
    made = window(rows=3, names=("a",))
    assert replace(made, rows=4) == window(rows=4, names=("a",))
    assert asdict(made) == {"rows": 3, "names": ("a",), "shares": [], "secret": "", "note": ""}
    assert [f.name for f in fields(made)] == ["rows", "names", "shares", "secret", "note"]
    assert copy.deepcopy(made) == made


def test_pydantic_reads_it(window: type[Any]) -> None:
    assert TypeAdapter(window).validate_python({"rows": "3"}) == window(rows=3)
    with pytest.raises(ValidationError, match="rows"):
        TypeAdapter(window).validate_python({"rows": "three"})


@record
class Parent:
    rows: int = 1


@record
class Child(Parent):
    name: str


def test_a_subclass_has_the_fields_of_both() -> None:
    assert Child(name="x", rows=2) == Child(rows=2, name="x") != Parent(rows=2)
    assert pickle.loads(pickle.dumps(Child(name="x"))) == Child(name="x")
    with pytest.raises(FrozenInstanceError):
        Child(name="x").rows = 3  # type: ignore[misc]


def test_own_methods_stay() -> None:
    @record
    class Named:
        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Named) and other.name.lower() == self.name.lower()

        def __hash__(self) -> int:
            return hash(self.name.lower())

        def __repr__(self) -> str:
            return self.name

    assert {Named(name="A"), Named(name="a")} == {Named(name="A")}
    assert repr(Named(name="A")) == "A"


def test_what_a_record_cannot_be_is_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        record(type("Slotted", (), {"__slots__": ("rows",), "__annotations__": {"rows": int}}))
    with pytest.raises(TypeError, match="__setattr__"):
        record(type("Open", (), {"__setattr__": object.__setattr__, "__annotations__": {"rows": int}}))


def test_without_eq_each_equals_itself_alone() -> None:
    @record(eq=False)
    class Sums:
        values: list[float]

    one = Sums(values=[1.0])
    assert one == one  # noqa: PLR0124
    assert one != Sums(values=[1.0])
    assert len({one, Sums(values=[1.0])}) == 2
