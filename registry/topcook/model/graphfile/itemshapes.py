"""What may stand in an object of an item graph file, and what it becomes.

``schemas/itemgraph.schema.json`` says the same for other programs; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

from topcook.model.attributes import AttribType, Attribute
from topcook.model.files import File, tag_for
from topcook.model.graphfile.locate import KeyPath
from topcook.model.graphfile.shapes import (
    INTEGERS,
    NEED,
    NEED_RULE,
    Fault,
    Record,
    describe,
    dotted,
    flag,
    integer,
    list_of,
    matching,
    number,
    one_of,
    parm_value,
    size,
    table_of,
    text,
    text_or_empty,
)

#: The types that an attribute may name.
ATTRIBUTE_TYPES: dict[str, AttribType] = {
    "int": AttribType.Int,
    "float": AttribType.Float,
    "string": AttribType.String,
    "file": AttribType.File,
    "dict": AttribType.Dict,
    "pyobject": AttribType.PyObject,
}
_PLAIN = {str: AttribType.String, int: AttribType.Int, bool: AttribType.Int, float: AttribType.Float}
_PLAIN_TEXTS = frozenset({"name", "command"})
_PLAIN_INTEGERS = frozenset({"priority", "frame", "index"})
_STRINGS = frozenset({str})
_TYPED_HINT = '{"type": "string", "value": …}, with one of the types ' + ", ".join(ATTRIBUTE_TYPES)


def _wrong(value: Any, path: KeyPath, expected: str, hint: str | None = None) -> Fault:
    return Fault(path, "wrong-type", f'"{dotted(path)}" must be {expected}, found {describe(value)}', hint)


def file(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A path, or a table of a path and its tag."""
    yield from (_FILE if isinstance(value, dict) else text)(value, path)


def attribute(value: Any, path: KeyPath) -> Iterator[Fault]:
    """A plain value, a list of plain values of one kind, or ``{type, value}``."""
    if isinstance(value, dict):
        if "type" in value or "value" in value:
            yield from _typed_attribute(value, path)
        else:
            yield _wrong(value, path, "a plain value, a list of them, or a type with its value", _TYPED_HINT)
        return
    values = value if isinstance(value, list) else [value]
    odd = next((one for one in values if type(one) not in _PLAIN), values)
    if odd is not values:
        yield _wrong(odd, path, "a bool, a number, a text, or a list of one of these", _TYPED_HINT)
    elif len({isinstance(one, str) for one in values}) > 1:
        yield Fault(path, "mixed-list", f'"{dotted(path)}" mixes texts and numbers', _TYPED_HINT)
    else:
        for one in values:
            yield from parm_value(one, path)


def _typed_attribute(value: dict[str, Any], path: KeyPath) -> Iterator[Fault]:
    faults = list(_TYPED(value, path))
    yield from faults
    if not faults:
        values = value["value"] if isinstance(value["value"], list) else [value["value"]]
        shape = _TYPED_VALUES[value["type"]]
        for one in values:
            yield from shape(one, (*path, "value"))


def _any(value: Any, path: KeyPath) -> Iterator[Fault]:
    """Whatever its type's own shape says."""
    del value, path
    yield from ()


def _integer_or_flag(value: Any, path: KeyPath) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield from integer(value, path)


def _number_or_flag(value: Any, path: KeyPath) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield from number(value, path)


_FILE = Record({"path": text, "tag": text_or_empty}, {"path": 'add "path": "…"'})
_TYPED = Record(
    {"type": one_of(tuple(ATTRIBUTE_TYPES)), "value": _any},
    {"type": _TYPED_HINT, "value": _TYPED_HINT},
)
_TYPED_VALUES = {
    "int": _integer_or_flag,
    "float": _number_or_flag,
    "string": text_or_empty,
    "file": file,
    "dict": table_of(parm_value, "values"),
    "pyobject": parm_value,
}

ITEM = Record(
    {
        "name": text,
        "command": text_or_empty,
        "dependencies": list_of(text, "item names"),
        "attributes": table_of(attribute, "attributes"),
        "outputs": list_of(file, "files"),
        "priority": integer,
        "slots": size,
        "resources": list_of(matching(NEED, NEED_RULE), "resources"),
        "inprocess": flag,
        "frame": number,
        "index": integer,
    },
    {"name": 'add "name": "…"; other items depend on it by that name'},
    "other values go into attributes; ",
    "the item",
)


def is_plain_item(value: dict[str, Any]) -> bool:
    """Whether an object is of the usual kind, so that ``ITEM`` would find nothing: a shortcut for millions of items.

    Only texts that a list of dependencies holds are not looked into: they are right when an item is called so.
    """
    if "name" not in value:
        return False
    for key, one in value.items():
        kind = type(one)
        if kind is str:
            good = key in _PLAIN_TEXTS and one and one.isascii() and "\0" not in one
        elif key == "dependencies":
            good = kind is list and {*map(type, one)} <= _STRINGS
        elif key == "attributes":
            good = kind is dict and "" not in one and all(map(_is_plain_value, one.values()))
        elif key == "slots":
            good = kind is int and 0 < one < INTEGERS
        else:
            good = kind is int and key in _PLAIN_INTEGERS and -INTEGERS <= one < INTEGERS
        if not good:
            return False
    return True


def _is_plain_value(value: Any) -> bool:
    if type(value) is int:
        return -INTEGERS <= value < INTEGERS
    return value.isascii() and "\0" not in value if type(value) is str else type(value) is float and isfinite(value)


def make_attribute(value: Any) -> Attribute:
    """The attribute that a checked value stands for; numbers of which one is a float are floats."""
    kind = _PLAIN.get(type(value))
    if kind is not None:
        return Attribute(kind, (int(value) if value is True or value is False else value,))
    if isinstance(value, dict):
        kind, value = ATTRIBUTE_TYPES[value["type"]], value["value"]
    values = value if isinstance(value, list) else [value]
    if kind is None:
        kinds = {_PLAIN[type(one)] for one in values}
        kind = AttribType.Float if AttribType.Float in kinds else kinds.pop() if kinds else AttribType.String
    return Attribute(kind, tuple(_AS[kind](one) for one in values))


def make_file(value: Any) -> File:
    """The file that a checked value stands for, its tag by the extension when it names none."""
    path, tag = (value["path"], value.get("tag", "")) if isinstance(value, dict) else (value, "")
    return File(path, tag or tag_for(path))


def _same(value: Any) -> Any:
    return value


_AS: dict[AttribType, Callable[[Any], Any]] = {
    AttribType.Int: int,
    AttribType.Float: float,
    AttribType.String: str,
    AttribType.File: make_file,
    AttribType.Dict: _same,
    AttribType.PyObject: _same,
}
