"""The part of ``pdg.TypeRegistry`` that looks for files on the types path; the names are PDG's.

In Houdini these are static methods, so they can be called on the class, too: then for the registry of the context.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from topcook.factory.typeregistry import Catalogue

__all__ = ["SKIP_VARIABLE", "TypesSearch"]

SKIP_VARIABLE = "HOUDINI_PDG_TYPE_SKIPLIST"

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _OnClassToo(Generic[_P, _R]):
    """A method that can be called on the class: it is then that of ``types()``."""

    def __init__(self, function: Callable[Concatenate[Any, _P], _R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: Any) -> Callable[_P, _R]:
        method: Callable[_P, _R] = self._function.__get__(owner.types() if instance is None else instance, owner)
        return method


class TypesSearch:
    """Looks for files in the entries of the types path, in order of precedence; the built-ins come last."""

    catalogue: Catalogue

    @_OnClassToo
    def searchPath(self) -> list[str]:
        """The directories in which types are looked for, in order of precedence."""
        return self.catalogue.search_path()

    @_OnClassToo
    def findFile(self, file_name: str) -> str | None:
        """The first file of that name on the search path, absolute; None when there is none."""
        for entry in self.catalogue.search_path():
            path = entry if os.path.basename(entry) == file_name else os.path.join(entry, file_name)
            if os.path.isfile(path):
                return os.path.abspath(path)
        return None

    @_OnClassToo
    def globFiles(self, extension: str, subdirectory: str = "", full_path: bool = False) -> list[str]:
        """All files with that extension in a subdirectory of the search path, each name once, the first entry first.

        Their names, or with ``full_path`` absolute paths.
        """
        found: dict[str, str] = {}
        ending = "." + extension.lstrip("*.")
        for entry in self.catalogue.search_path():
            directory = os.path.join(entry, subdirectory) if subdirectory else entry
            try:
                names = sorted(os.listdir(directory))
            except OSError:
                continue
            for name in names:
                if name.endswith(ending):
                    found.setdefault(name, os.path.abspath(os.path.join(directory, name)))
        return list(found.values()) if full_path else list(found)

    @_OnClassToo
    def globPythonModules(self, unique: bool = True, full_path: bool = False) -> list[str]:
        """All modules and packages on the search path, in order of precedence, helpers too.

        Their names, or with ``full_path`` absolute paths (a package's is its directory). ``unique`` leaves out those
        of a name that an earlier one has.
        """
        from topcook.factory.records import Tier
        from topcook.factory.sources import candidates_in
        from topcook.factory.typespath import TypesEntry

        found: list[tuple[str, str]] = []
        seen: set[str] = set()
        for entry in self.catalogue.search_path():
            for each in candidates_in(TypesEntry(entry, Tier.PATH, "searchPath")):
                if not (unique and each.stem in seen):
                    found.append((each.stem, os.path.dirname(each.path) if each.is_package else each.path))
                seen.add(each.stem)
        return [os.path.abspath(path) if full_path else name for name, path in found]

    @_OnClassToo
    def moduleSkipList(self) -> list[str]:
        """The names of files and directories that HOUDINI_PDG_TYPE_SKIPLIST leaves out."""
        names = re.split(r"[;:,\s]+", os.environ.get(SKIP_VARIABLE, ""))
        return list(dict.fromkeys(filter(None, names)))
