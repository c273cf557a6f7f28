"""The names of a new type: in networks, of its class, in menus, of its file."""

from __future__ import annotations

import keyword
import re
import sys

from topcook.lean import dataclass

__all__ = ["TypeNames", "type_names"]

_WORDS = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class TypeNames:
    """``name`` in networks and of the file, ``cls`` of the class, ``label`` in menus."""

    name: str
    cls: str
    label: str


def type_names(name: str) -> TypeNames:
    """All names that follow from a type's; raises ``ValueError``, which says what to type, for one that cannot be."""
    words = [word for word in _WORDS.split(name) if word]
    proposed = "_".join(words).lower()
    proposed = f"farm_{proposed}" if proposed[:1].isdigit() else proposed
    if not proposed:
        raise ValueError(f'"{name}" has no letters; a name is made of letters, digits and _: my_farm')
    if name != proposed and name.lower() != name:
        raise ValueError(f'"{name}": names of types are lower case; take {proposed}')
    if name != proposed:
        raise ValueError(f'"{name}" cannot name a Python file; take {proposed}')
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ValueError(f'"{name}" is a word of Python itself; take {name}_farm')
    if name in sys.stdlib_module_names or name in {"pdg", "hou", "topcook"}:
        raise ValueError(f'"{name}" is the name of a Python module, which the file would hide; take {name}_farm')
    short = words[:-1] if len(words) > 1 and words[-1].lower() == "scheduler" else words
    stem = "".join(word[:1].upper() + word[1:] for word in short)
    if stem.lower().endswith("scheduler") and len(stem) > len("scheduler"):
        stem = stem[: -len("scheduler")]
    label = " ".join(word[:1].upper() + word[1:] for word in words)
    return TypeNames(name, f"{stem}Scheduler", label)
