"""The attribute half of ``pdg.WorkItem``."""

from __future__ import annotations

import fnmatch
import threading
from contextlib import AbstractContextManager
from sys import intern
from typing import TYPE_CHECKING, Any

from topcook.contract.expressions import value_text
from topcook.errors import CookError
from topcook.model.attributes import AttribFlag, AttribType, Attribute, attribute_of

if TYPE_CHECKING:
    from topcook.contract.host import GraphServices
    from topcook.model.workitem import WorkItem as Record

# Striped, because a lock per item would cost a cook of 100,000 items more memory than the items' attributes.
_LOCKS = tuple(threading.RLock() for _ in range(64))
#: PDG keeps an item's command as a string attribute; the record keeps it in a field of its own.
COMMAND = "command"
_NUMBERS = frozenset({AttribType.Int, AttribType.Float})


class AttributeView:
    """``pdg.Attribute``: one attribute of one item, read and set in place."""

    __slots__ = ("_item", "name")

    def __init__(self, item: ItemAttributes, name: str) -> None:
        """Stand for the attribute ``name`` of ``item``, which must have it."""
        self._item = item
        self.name = name

    @property
    def _attribute(self) -> Attribute:
        found = self._item._find(self.name)  # noqa: SLF001 - the two halves of one thing
        if found is None:
            raise CookError(f'attribute "{self.name}" was erased from "{self._item.record.name}"')
        return found

    @property
    def type(self) -> AttribType:
        """``pdg.attribType``."""
        return self._attribute.type

    @property
    def flags(self) -> AttribFlag:
        """``pdg.attribFlag``."""
        return self._attribute.flags

    @property
    def size(self) -> int:
        """How many components it has."""
        return len(self._attribute.values)

    @property
    def values(self) -> list[Any]:
        """All components."""
        return list(self._attribute.values)

    @property
    def value(self) -> Any:
        """The first component, ``None`` when there is none."""
        values = self._attribute.values
        return values[0] if values else None

    def setValue(self, value: Any, index: int = 0) -> None:
        """Set one component, or all of them from a list; the type stays."""
        self._item._set(self.name, self.type, value, index)  # noqa: SLF001

    def setFlag(self, flag: AttribFlag, value: bool) -> None:
        """Set or clear a flag."""
        self._item.setAttribFlag(self.name, flag, value)

    def __len__(self) -> int:
        """How many components it has."""
        return self.size

    def __getitem__(self, index: int) -> Any:
        """Component ``index``."""
        return self._attribute.values[index]

    def __setitem__(self, index: int, value: Any) -> None:
        """Set component ``index``."""
        self.setValue(value, index)

    def __repr__(self) -> str:
        """Name, type and values."""
        return f"<Attribute {self.name} {self.type.name} {self.values!r}>"


class ItemAttributes:
    """Attributes by name: read, written, listed.

    Reading what is not there, or has no component ``index``, gives ``None`` (an empty list for arrays), as PDG does.
    Setting creates; an int written into a float attribute becomes a float, any other change of type replaces the
    attribute. A read-only attribute raises ``CookError``.
    """

    __slots__ = ("record", "services")

    record: Record
    services: GraphServices

    def _find(self, name: str) -> Attribute | None:
        attributes = self.record.attributes
        found = None if attributes is None else attributes.get(name)
        if found is None and name == COMMAND and self.record.command:
            return Attribute(AttribType.String, (self.record.command,))
        return found

    def _value(self, name: str, kind: AttribType, index: int) -> Any:
        found = self._find(name)
        if found is None or not -len(found.values) <= index < len(found.values):
            return None
        return _converted(found.values[index], found.type, kind)

    def _values(self, name: str, kind: AttribType) -> list[Any]:
        found = self._find(name)
        return [] if found is None else [_converted(value, found.type, kind) for value in found.values]

    def _set(self, name: str, kind: AttribType, value: Any, index: int = 0) -> None:
        with self.lockAttributes():
            old = self._find(name)
            if old is None and index == 0 and not isinstance(value, list | tuple):
                # The usual case, without a step in between.
                self._put(name, Attribute(kind, (_made(value, kind),)))
                return
            if old is not None and old.flags & AttribFlag.ReadOnly:
                raise CookError(f'attribute "{name}" of "{self.record.name}" is read only')
            if old is not None and old.type is AttribType.Float and kind is AttribType.Int:
                kind = AttribType.Float
            flags = old.flags if old is not None else AttribFlag.NoFlags
            if isinstance(value, list | tuple) and kind is not AttribType.PyObject:
                new = Attribute(kind, tuple(_made(part, kind) for part in value), flags)
            else:
                base = old if old is not None and old.type is kind else Attribute(kind, (), flags)
                new = base.with_value(_made(value, kind), index)
            self._put(name, new)

    def _put(self, name: str, attribute: Attribute) -> None:
        if name == COMMAND and attribute.type is AttribType.String:
            self.record.command = attribute.values[0] if attribute.values else ""
            return
        if self.record.attributes is None:
            self.record.attributes = {}
        # A name that a loop puts together is another object each time, and there may be a million items.
        self.record.attributes[intern(name) if type(name) is str else name] = attribute

    def lockAttributes(self) -> AbstractContextManager[Any]:
        """Keep other threads from writing this item's attributes while the block runs."""
        return _LOCKS[id(self.record) // 64 % len(_LOCKS)]

    def attrib(self, name: str) -> AttributeView | None:
        """The attribute, ``None`` when the item has none of that name."""
        return None if self._find(name) is None else AttributeView(self, name)

    def __getitem__(self, name: str) -> AttributeView:
        """The attribute; ``KeyError`` names the closest ones."""
        if self._find(name) is None:
            import difflib

            names = self.attribNames()
            close = difflib.get_close_matches(name, names, 1)
            hint = f'; did you mean "{close[0]}"?' if close else f"; it has {', '.join(names) or 'none'}"
            raise KeyError(f'work item "{self.record.name}" has no attribute "{name}"{hint}')
        return AttributeView(self, name)

    def __contains__(self, name: str) -> bool:
        """Whether the item has the attribute."""
        return self._find(name) is not None

    def hasAttrib(self, name: str) -> bool:
        """Whether the item has the attribute."""
        return self._find(name) is not None

    def attribNames(self, type: AttribType = AttribType.Undefined) -> list[str]:
        """The names of all attributes, or those of one type."""
        attributes = self.record.attributes or {}
        return [name for name, found in attributes.items() if type in (AttribType.Undefined, found.type)]

    def numAttribs(self, type: AttribType = AttribType.Undefined) -> int:
        """How many attributes there are, of one type or all."""
        return len(self.attribNames(type))

    def attribType(self, name: str) -> AttribType:
        """``pdg.attribType`` of the attribute, ``Undefined`` without one."""
        found = self._find(name)
        return AttribType.Undefined if found is None else found.type

    def attribValue(self, name: str, index: int = 0) -> Any:
        """One component in its own type."""
        return self._value(name, self.attribType(name), index)

    def attribArray(self, name: str) -> list[Any]:
        """All components in their own type."""
        return self._values(name, self.attribType(name))

    def attribValues(self, name: str | None = None) -> Any:
        """All components of one attribute, or without a name a dict of all attributes."""
        return (
            self.attribArray(name) if name is not None else {key: self.attribArray(key) for key in self.attribNames()}
        )

    def intAttribValue(self, name: str, index: int = 0) -> int | None:
        """One component as an int."""
        found: int | None = self._value(name, AttribType.Int, index)
        return found

    def floatAttribValue(self, name: str, index: int = 0) -> float | None:
        """One component as a float."""
        found: float | None = self._value(name, AttribType.Float, index)
        return found

    def stringAttribValue(self, name: str, index: int = 0) -> str | None:
        """One component as text."""
        found: str | None = self._value(name, AttribType.String, index)
        return found

    def fileAttribValue(self, name: str, index: int = 0) -> Any:
        """One component as a ``pdg.File``."""
        return self._value(name, AttribType.File, index)

    def dictAttribValue(self, name: str, index: int = 0) -> Any:
        """One component as a dict."""
        return self._value(name, AttribType.Dict, index)

    def pyObjectAttribValue(self, name: str) -> Any:
        """The Python object."""
        return self._value(name, AttribType.PyObject, 0)

    def intAttribArray(self, name: str) -> list[Any]:
        """All components as ints."""
        return self._values(name, AttribType.Int)

    def floatAttribArray(self, name: str) -> list[Any]:
        """All components as floats."""
        return self._values(name, AttribType.Float)

    def stringAttribArray(self, name: str) -> list[Any]:
        """All components as text."""
        return self._values(name, AttribType.String)

    def fileAttribArray(self, name: str) -> list[Any]:
        """All components as ``pdg.File``."""
        return self._values(name, AttribType.File)

    def dictAttribArray(self, name: str) -> list[Any]:
        """All components as dicts."""
        return self._values(name, AttribType.Dict)

    def setIntAttrib(self, name: str, value: Any, index: int = 0) -> None:
        """Set an int component, or all of them from a list."""
        self._set(name, AttribType.Int, value, index)

    def setFloatAttrib(self, name: str, value: Any, index: int = 0) -> None:
        """Set a float component, or all of them from a list."""
        self._set(name, AttribType.Float, value, index)

    def setStringAttrib(self, name: str, value: Any, index: int = 0) -> None:
        """Set a string component, or all of them from a list; ``command`` sets the item's command."""
        self._set(name, AttribType.String, value, index)

    def setFileAttrib(self, name: str, value: Any, index: int = 0) -> None:
        """Set a ``pdg.File`` component, or all of them from a list."""
        self._set(name, AttribType.File, value, index)

    def setDictAttrib(self, name: str, value: Any, index: int = 0) -> None:
        """Set a dict component, or all of them from a list."""
        self._set(name, AttribType.Dict, value, index)

    def setPyObjectAttrib(self, name: str, obj: Any) -> None:
        """Set a Python object."""
        self._set(name, AttribType.PyObject, obj)

    def setAttrib(self, name: str, value: Any) -> None:
        """Set an attribute of whatever type the value has."""
        made = attribute_of(value)
        self._set(name, made.type, list(made.values) if made.type is not AttribType.PyObject else value)

    def addAttrib(self, name: str, type: AttribType, overwrite: Any = None, error_level: Any = None) -> AttributeView:
        """An empty attribute of this type; one that is there with this type stays as it is."""
        if self.attribType(name) is not type or not self.hasAttrib(name):
            self._put(name, Attribute(type, ()))
        return AttributeView(self, name)

    def eraseAttrib(self, name: str) -> bool:
        """Take an attribute away; whether there was one."""
        return (self.record.attributes or {}).pop(name, None) is not None

    def renameAttrib(self, name: str, new_name: str) -> bool:
        """Give an attribute another name; whether there was one."""
        found = (self.record.attributes or {}).pop(name, None)
        if found is not None:
            self._put(new_name, found)
        return found is not None

    def clearAttribs(self) -> None:
        """Take every attribute away."""
        self.record.attributes = None

    def setAttribFlag(self, name: str, flag: AttribFlag, value: bool) -> None:
        """Set or clear a flag of an attribute, if there is one."""
        found = self._find(name)
        if found is not None:
            flags = found.flags | flag if value else found.flags & ~flag
            self._put(name, Attribute(found.type, found.values, flags))

    def attribMatch(self, pattern: str) -> list[str]:
        """The names that match one of the space-separated patterns (``*`` and ``?``; ``^x`` takes out)."""
        names: list[str] = []
        for part in pattern.split():
            found = fnmatch.filter(self.attribNames(), part.removeprefix("^"))
            names = [name for name in names if name not in found] if part.startswith("^") else [*names, *found]
        return list(dict.fromkeys(names))

    def attribHash(self) -> int:
        """A number that changes when an attribute does; the same in every process."""
        import hashlib

        text = repr(
            sorted((name, found.type.name, found.values) for name, found in (self.record.attributes or {}).items())
        )
        return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _converted(value: Any, have: AttribType, want: AttribType) -> Any:
    """A value in the asked-for type, ``None`` when it has no meaning there."""
    if have is want or value is None:
        return value
    if want is AttribType.String:
        return value_text(value, have)
    if have in _NUMBERS and want in _NUMBERS:
        return int(value) if want is AttribType.Int else float(value)
    return value if want in (AttribType.PyObject, AttribType.Undefined) else None


def _made(value: Any, kind: AttribType) -> Any:
    """A value as an attribute of this type keeps it; raises ``TypeError``/``ValueError`` as the types do."""
    if kind is AttribType.Int:
        return int(value)
    if kind is AttribType.Float:
        return float(value)
    if kind is AttribType.String:
        return value if isinstance(value, str) else str(value)
    return value
