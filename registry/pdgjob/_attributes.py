"""The attributes of a work item on the job's side: read from its data, set by report."""

import ast

from pdgjob import _set
from pdgjob._files import File, file_of
from pdgjob._syntax import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Value = TypeVar("Value")


class AttribType:
    """``pdg.attribType`` by number; ``Dict`` stands behind the older set."""

    Int, Float, String, File, PyObject, Geometry, Undefined, Dict = range(8)


class AttribFlag:
    """``pdg.attribFlag`` by number."""

    NoFlags, NoCopy, EnvExport, ReadOnly, Internal, Operator = 0, 1, 2, 4, 8, 0x10


class Attribute:
    """One attribute: its type, its values, its flags."""

    __slots__ = ("flags", "type", "values")

    def __init__(self, type: int, values: "list[Any]", flags: int = 0) -> None:
        self.type = type
        self.values = values
        self.flags = flags

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> "Any":
        return self.values[index]


_BLANKS = {AttribType.Int: 0, AttribType.Float: 0.0, AttribType.String: ""}  # type: dict[int, Any]


def _read(stored: "Any") -> Attribute:
    kind = int(stored.get("type", AttribType.Undefined))
    values = stored.get("value", [])
    values = list(values) if isinstance(values, list) else [values]
    if kind == AttribType.File:
        values = [None if value is None else file_of(value) for value in values]
    elif kind in (AttribType.PyObject, AttribType.Dict):
        values = [_literal(value) for value in values]
    return Attribute(kind, values, int(stored.get("flag", 0)))


def _literal(value: "Any") -> "Any":
    """A Python object from the text of its repr; what is no literal stays the text."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(parse(value.lstrip(" \t"), mode="eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


class Attributes:
    """The attribute half of a work item. What is asked for and not there is None, or an empty list."""

    def __init__(self, stored: "dict[str, Any]") -> None:
        self._attributes = {name: _read(stored[name]) for name in stored}

    def reportAddress(self) -> "tuple[int | str, int]":
        """Item and sub-index that reports go to."""
        raise NotImplementedError

    # reading

    def attrib(self, name: str) -> "Attribute | None":
        """The attribute of that name."""
        return self._attributes.get(name)

    def __getitem__(self, name: str) -> Attribute:
        return self._attributes[name]

    def __contains__(self, name: str) -> bool:
        return name in self._attributes

    def hasAttrib(self, name: str) -> bool:
        """Whether there is one."""
        return name in self._attributes

    def attribNames(self, type: int = AttribType.Undefined) -> "list[str]":
        """The names, of one type or of all."""
        return [name for name, found in self._attributes.items() if type in (AttribType.Undefined, found.type)]

    def numAttribs(self, type: int = AttribType.Undefined) -> int:
        """How many there are."""
        return len(self.attribNames(type))

    def attribType(self, name: str) -> int:
        """Its type's number; Undefined when there is none."""
        found = self._attributes.get(name)
        return AttribType.Undefined if found is None else found.type

    def attribArray(self, name: str) -> "list[Any]":
        """All values."""
        found = self._attributes.get(name)
        return [] if found is None else list(found.values)

    def attribValue(self, name: str, index: int = 0) -> "Any":
        """One value."""
        values = self.attribArray(name)
        return values[index] if -len(values) <= index < len(values) else None

    def attribValues(self) -> "dict[str, list[Any]]":
        """All values of all attributes."""
        return {name: list(found.values) for name, found in self._attributes.items()}

    def _typed(self, name: str, kinds: "tuple[int, ...]") -> "list[Any]":
        found = self._attributes.get(name)
        return list(found.values) if found is not None and found.type in kinds else []

    def intAttribArray(self, name: str) -> "list[int]":
        """The values of a number attribute, as ints."""
        return [int(value) for value in self._typed(name, (AttribType.Int, AttribType.Float))]

    def floatAttribArray(self, name: str) -> "list[float]":
        """The values of a number attribute, as floats."""
        return [float(value) for value in self._typed(name, (AttribType.Float, AttribType.Int))]

    def stringAttribArray(self, name: str) -> "list[str]":
        """The values of a string attribute."""
        return self._typed(name, (AttribType.String,))

    def fileAttribArray(self, name: str) -> "list[File]":
        """The values of a file attribute."""
        return self._typed(name, (AttribType.File,))

    def dictAttribArray(self, name: str) -> "list[dict[str, Any]]":
        """The values of a dictionary attribute."""
        return self._typed(name, (AttribType.Dict,))

    def intAttribValue(self, name: str, index: int = 0) -> "int | None":
        """One int."""
        return _component(self.intAttribArray(name), index)

    def floatAttribValue(self, name: str, index: int = 0) -> "float | None":
        """One float."""
        return _component(self.floatAttribArray(name), index)

    def stringAttribValue(self, name: str, index: int = 0) -> "str | None":
        """One string."""
        return _component(self.stringAttribArray(name), index)

    def fileAttribValue(self, name: str, index: int = 0) -> "File | None":
        """One file."""
        return _component(self.fileAttribArray(name), index)

    def dictAttribValue(self, name: str, index: int = 0) -> "dict[str, Any] | None":
        """One dictionary."""
        return _component(self.dictAttribArray(name), index)

    def pyObjectAttribValue(self, name: str) -> "Any":
        """The Python object; the text of its repr when that is no literal."""
        return _component(self._typed(name, (AttribType.PyObject,)), 0)

    # setting

    def _keep(self, name: str, kind: int, value: "Any", index: "int | None") -> None:
        found = self._attributes.get(name)
        if index is None:
            self._attributes[name] = Attribute(kind, list(value), found.flags if found is not None else 0)
            return
        if found is None or found.type != kind:
            found = self._attributes[name] = Attribute(kind, [], found.flags if found is not None else 0)
        while len(found.values) <= index:
            found.values.append(_BLANKS.get(kind))
        found.values[index] = value

    def setIntAttrib(self, name: str, value: "Any", index: int = 0) -> None:
        """Set an int, or with a list all of them."""
        self._set(name, AttribType.Int, int, value, index, _set.setIntAttrib, _set.setIntAttribArray)

    def setFloatAttrib(self, name: str, value: "Any", index: int = 0) -> None:
        """Set a float, or with a list all of them."""
        self._set(name, AttribType.Float, float, value, index, _set.setFloatAttrib, _set.setFloatAttribArray)

    def setStringAttrib(self, name: str, value: "Any", index: int = 0) -> None:
        """Set a string, or with a list all of them."""
        self._set(name, AttribType.String, str, value, index, _set.setStringAttrib, _set.setStringAttribArray)

    def setDictAttrib(self, name: str, value: "Any", index: int = 0) -> None:
        """Set a dictionary, or with a list all of them."""
        self._set(name, AttribType.Dict, dict, value, index, _set.setDictAttrib, _set.setDictAttribArray)

    def setFileAttrib(self, name: str, value: "Any", index: int = 0) -> None:
        """Set a file (a File, a path, or PDG's tuple), or with a list all of them."""
        self._set(name, AttribType.File, file_of, value, index, _set.setFileAttrib, _set.setFileAttribArray)

    def setPyObjectAttrib(self, name: str, value: "Any") -> None:
        """Set a Python object; it travels as its repr."""
        self._keep(name, AttribType.PyObject, [value], None)
        item, subindex = self.reportAddress()
        _set.setPyObjectAttrib(name, value, item, subindex)

    def _set(self, name: str, kind: int, convert: "Any", value: "Any", index: int, one: "Any", many: "Any") -> None:
        item, subindex = self.reportAddress()
        if isinstance(value, list):
            values = [convert(element) for element in value]
            self._keep(name, kind, values, None)
            many(name, [_wire(element) for element in values], item, subindex)
        else:
            self._keep(name, kind, convert(value), index)
            one(name, _wire(convert(value)), index, item, subindex)


def _wire(value: "Any") -> "Any":
    return value.parts() if isinstance(value, File) else value


def _component(values: "list[Value]", index: int) -> "Value | None":
    return values[index] if -len(values) <= index < len(values) else None
