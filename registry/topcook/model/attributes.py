"""Attributes of a work item: named, typed arrays that travel downstream."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass
from topcook.model.files import File

if TYPE_CHECKING:
    from collections.abc import Iterable


class AttribType(IntEnum):
    """``pdg.attribType`` with the integers of the older set; ``Dict`` stands behind them."""

    Int = 0
    Float = 1
    String = 2
    File = 3
    PyObject = 4
    Geometry = 5
    Undefined = 6
    Dict = 7


class AttribFlag(IntFlag):
    """``pdg.attribFlag``."""

    NoFlags = 0
    NoCopy = 1
    EnvExport = 2
    ReadOnly = 4
    Internal = 8
    Operator = 0x10
    Transfer = 0x20
    Dependent = 0x40
    NoDirty = 0x80
    Transient = 0x100
    Bound = 0x200
    All = 0xFFFF


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its type, its values as a tuple, its flags.

    Immutable, so that items share what they inherit: setting a value replaces the attribute.
    """

    type: AttribType
    values: tuple[Any, ...]
    flags: AttribFlag = AttribFlag.NoFlags

    def with_value(self, value: object, index: int) -> Attribute:
        """A copy whose component ``index`` is ``value``; the gap before it is filled with blanks."""
        values = list(self.values)
        while len(values) <= index:
            values.append(BLANKS[self.type])
        values[index] = value
        return Attribute(self.type, tuple(values), self.flags)


BLANKS: dict[AttribType, Any] = {
    AttribType.Int: 0,
    AttribType.Float: 0.0,
    AttribType.String: "",
    AttribType.File: None,
    AttribType.PyObject: None,
    AttribType.Geometry: None,
    AttribType.Undefined: None,
    AttribType.Dict: None,
}


def attribute_of(value: object, flags: AttribFlag = AttribFlag.NoFlags) -> Attribute:
    """The attribute that holds a plain Python value or a list of them.

    A list of ints and floats is a float attribute; a bool is an int.
    """
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    kind = _type_of(values)
    if kind is AttribType.Int:
        values = tuple(int(v) for v in values)
    elif kind is AttribType.Float:
        values = tuple(float(v) for v in values)
    return Attribute(kind, values, flags)


def is_deeper(value: object, depth: int) -> bool:
    """Whether dictionaries and lists are nested more than ``depth`` deep in a value; without recursion itself."""
    level = [value]
    for _ in range(depth + 1):
        parts: list[object] = []
        for each in level:
            if isinstance(each, dict):
                parts += each.values()
            elif isinstance(each, list | tuple):
                parts += each
        if not parts:
            return False
        level = parts
    return True


def _type_of(values: Iterable[object]) -> AttribType:
    kinds = {type(value) for value in values}
    if kinds <= {int, bool} and kinds:
        return AttribType.Int
    if kinds <= {int, bool, float} and kinds:
        return AttribType.Float
    if kinds <= {str}:
        return AttribType.String
    if kinds <= {dict}:
        return AttribType.Dict
    if kinds <= {File}:
        return AttribType.File
    return AttribType.PyObject
