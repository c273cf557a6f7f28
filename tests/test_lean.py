"""``topcook.lean`` against the standard library's decorator: the same classes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook import lean


def both(frozen: bool) -> tuple[Any, Any]:
    """The same class by the standard decorator and by ours."""

    def body(decorate: Any, field: Any) -> Any:
        @decorate(frozen=frozen, slots=True)
        class Place:
            path: str
            line: int = 0
            seen: list[int] = field(default_factory=list)
            secret: str = field(default="", repr=False, compare=False)
            shown: ClassVar[int] = 3

        return Place

    return body(dataclasses.dataclass, dataclasses.field), body(lean.dataclass, lean.field)


PAIRS = {frozen: both(frozen) for frozen in (False, True)}
PARTS = st.fixed_dictionaries(
    {"path": st.text(max_size=3)},
    optional={
        "line": st.integers(0, 2),
        "seen": st.lists(st.integers(0, 2), max_size=2),
        "secret": st.sampled_from(["", "x"]),
    },
)


@pytest.mark.parametrize("frozen", [False, True])
@given(one=PARTS, other=PARTS)
def test_instances_are_made_shown_compared_and_taken_apart_as_the_standard_ones(
    frozen: bool, one: dict[str, Any], other: dict[str, Any]
) -> None:
    standard, ours = PAIRS[frozen]
    theirs, made = standard(**one), ours(**one)
    assert repr(made) == repr(theirs)
    assert dataclasses.asdict(made) == dataclasses.asdict(theirs)
    assert (made == ours(**other)) == (theirs == standard(**other))
    assert dataclasses.asdict(dataclasses.replace(made, line=7)) == dataclasses.asdict(
        dataclasses.replace(theirs, line=7)
    )
    assert dataclasses.asdict(copy.deepcopy(made)) == dataclasses.asdict(theirs)


@pytest.mark.parametrize("frozen", [False, True])
def test_wrong_arguments_are_refused_at_the_first_call_and_later(frozen: bool) -> None:
    _, ours = both(frozen)
    for _ in range(2):
        for wrong in ({}, {"path": "a", "nothing": 1}):
            with pytest.raises(TypeError):
                ours(**wrong)
        with pytest.raises(TypeError):
            ours("a", 1, [], "", 5)


@pytest.mark.parametrize("wrong_at", [0, lean.EARLY // 2, lean.EARLY + 1])
@pytest.mark.parametrize("frozen", [False, True])
def test_the_first_instances_and_the_later_ones_are_made_alike(frozen: bool, wrong_at: int) -> None:
    standard, ours = both(frozen)
    ways: tuple[Any, ...] = (
        lambda cls: cls("a"),
        lambda cls: cls("a", 1, [2], "s"),
        lambda cls: cls("a", seen=[3]),
        lambda cls: cls(secret="x", path="b", line=4),
    )
    for number in range(lean.EARLY + 4):
        way = ways[number % len(ways)]
        assert dataclasses.asdict(way(ours)) == dataclasses.asdict(way(standard))
        if number == wrong_at:
            for args, kwargs in (((), {}), (("a",), {"path": "b"}), (("a", 1, [], "", 5), {}), (("a",), {"no": 1})):
                with pytest.raises(TypeError, match="__init__"):
                    ours(*args, **kwargs)


def test_the_first_tuples_and_the_later_ones_are_made_alike() -> None:
    for number in range(2 * lean.EARLY):
        made = Lean("a", reason="r", place=(number, 0)) if number % 2 else Lean("a", (number, 0), "r")
        assert made == ("a", (number, 0), "r", None)
        for args, kwargs in (((), {}), (("a",), {"name": "b"}), (("a", 1, "", [], 5), {}), (("a", 1), {"no": 1})):
            with pytest.raises(TypeError, match="__new__"):
                Lean(*args, **kwargs)


def test_defaults_that_are_made_are_no_ones_else() -> None:
    _, ours = both(frozen=True)
    ours("a").seen.append(1)
    assert ours("a").seen == []


def test_a_frozen_one_cannot_be_changed_and_can_be_hashed() -> None:
    @lean.dataclass(frozen=True, slots=True)
    class Pair:
        left: int
        right: int = 0

    pair = Pair(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="left"):
        pair.left = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="left"):
        del pair.left
    assert {pair: 1}[Pair(1)] == 1
    assert pair != (1, 0)


def test_one_that_can_be_changed_has_no_hash_and_no_room_for_other_names() -> None:
    @lean.dataclass(slots=True)
    class Count:
        number: int

    with pytest.raises(TypeError):
        hash(Count(1))
    with pytest.raises(AttributeError):
        Count(1).other = 2  # type: ignore[attr-defined]


def test_without_comparison_identity_counts() -> None:
    @lean.dataclass(slots=True, eq=False, weakref_slot=True)
    class Thing:
        number: int

    one = Thing(1)
    assert one != Thing(1)
    assert {one: 1}[one] == 1


@lean.dataclass(frozen=True, slots=True)
class Base:
    first: int
    second: str = "b"


@lean.dataclass(frozen=True, slots=True)
class Derived(Base):
    third: int = 3
    total: int = lean.field(init=False, default=0)


def test_fields_of_a_base_come_first_and_travel_through_pickle() -> None:
    made = Derived(1, "x", 4)
    assert repr(made) == "Derived(first=1, second='x', third=4, total=0)"
    assert pickle.loads(pickle.dumps(made)) == made
    assert [each.name for each in dataclasses.fields(Derived)] == ["first", "second", "third", "total"]
    match made:
        case Derived(1, "x", third):
            assert third == 4
        case _:
            raise AssertionError(made)


def test_what_must_be_said_after_the_fields_are_set_is_said() -> None:
    @lean.dataclass(slots=True)
    class Area:
        width: int
        size: int = 0

        def __post_init__(self) -> None:
            self.size = self.width**2

    assert Area(3).size == 9


def test_one_that_holds_itself_can_be_shown() -> None:
    @lean.dataclass(slots=True, eq=False)
    class Loop:
        inner: list[Any] = lean.field(default_factory=list)

    loop = Loop()
    loop.inner.append(loop)
    assert "..." in repr(loop)


def test_a_field_without_a_default_after_one_with_is_refused() -> None:
    with pytest.raises(TypeError, match=r"'second' without a default follows 'first'"):

        @lean.dataclass(slots=True)
        class Wrong:
            first: int = 1
            second: str  # type: ignore[misc]


def test_classes_without_slots_are_refused() -> None:
    with pytest.raises(TypeError, match="slots only"):
        lean.dataclass(slots=False)


def test_the_short_ways_to_names_and_copies_do_as_the_standard_ones() -> None:
    made = Derived(1, third=4)
    assert lean.names(Derived) == ("first", "second", "third", "total")
    assert lean.replace(made, first=2) == dataclasses.replace(made, first=2) == Derived(2, third=4)
    with pytest.raises(TypeError):
        lean.replace(made, nothing=1)


def test_a_pattern_is_compiled_at_its_first_use_and_then_does_as_the_standard_one() -> None:
    made = lean.pattern(r"(\w)(\d+)", re.ASCII)
    found = made.search("é a12")
    assert found is not None
    assert found.groups() == ("a", "12")
    assert (made.pattern, made.groups, made.sub("-", "b3")) == (r"(\w)(\d+)", 2, "-")
    wrong = lean.pattern("(")
    with pytest.raises(re.error, match="missing"):
        wrong.match("")


class Standard(NamedTuple):
    """Of the standard library."""

    name: str
    place: tuple[int, int]
    reason: str = "none"
    more: list[int] | None = None

    @property
    def line(self) -> int:
        """Its first number."""
        return self.place[0]

    def __str__(self) -> str:
        """Its own."""
        return f"{self.name} at {self.line}"


class Lean(lean.NamedTuple):
    """Of ours."""

    name: str
    place: tuple[int, int]
    reason: str = "none"
    more: list[int] | None = None

    @property
    def line(self) -> int:
        """Its first number."""
        return self.place[0]

    def __str__(self) -> str:
        """Its own."""
        return f"{self.name} at {self.line}"


@pytest.mark.parametrize("cls", [Standard, Lean])
def test_a_named_tuple_does_as_the_standard_one(cls: Any) -> None:
    made = cls("a", place=(2, 3))
    assert made == ("a", (2, 3), "none", None) == cls("a", (2, 3), "none")
    assert (made.name, made.line, made.reason, made.more, str(made)) == ("a", 2, "none", None, "a at 2")
    assert repr(made) == f"{cls.__name__}(name='a', place=(2, 3), reason='none', more=None)"
    assert made._replace(name="b", more=[1]) == cls("b", (2, 3), more=[1])
    assert made._asdict() == {"name": "a", "place": (2, 3), "reason": "none", "more": None}
    assert (cls._fields, cls._field_defaults) == (("name", "place", "reason", "more"), {"reason": "none", "more": None})
    assert hash(made) == hash(tuple(made))
    assert isinstance(made, tuple)
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert (type(again), again) == (cls, made)
    match made:
        case Standard(name, (line, _), reason) | Lean(name, (line, _), reason):
            assert (name, line, reason) == ("a", 2, "none")
        case _:
            pytest.fail("it does not match")
    assert cls.__doc__ in {"Of the standard library.", "Of ours."}
    assert dataclasses.asdict(lean_holder(made))["held"] == made
    with pytest.raises(TypeError):
        cls("a")
    with pytest.raises(TypeError):
        cls("a", (1, 2), nothing=1)
    with pytest.raises(ValueError, match="nothing"):
        made._replace(nothing=1)
    with pytest.raises(AttributeError):
        made.name = "b"
    with pytest.raises(AttributeError):
        made.other = "b"


def lean_holder(held: Any) -> Any:
    @dataclasses.dataclass
    class Holder:
        held: Any

    return Holder(held)


def test_a_named_tuple_refuses_a_field_without_a_default_after_one_with() -> None:
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(lean.NamedTuple):
            first: int = 1
            second: int  # type: ignore[misc]
