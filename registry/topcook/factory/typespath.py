"""The types path: which directories are searched for types files, in which order, and who named each.

Nothing here opens a types file. All is a function of the configuration, an environment and the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.houdinipath import houdini_places
from topcook.factory.records import Tier
from topcook.lean import NamedTuple
from topcook.model.userdirs import absolute, resolved, user_dir

if TYPE_CHECKING:
    from topcook.config import Config

__all__ = ["PATH_VARIABLE", "TypesEntry", "TypesPath", "builtin_types_dir", "types_entries", "types_path"]

PATH_VARIABLE = "PDG_TYPES_PATH"


class TypesEntry(NamedTuple):
    """One entry of the types path: a directory, or a single file.

    ``named_by`` is what names it, as a person is told. ``named`` says that the user did so himself (not a project's
    file that came with a checkout), so that its owner may be trusted; ``expected`` that it is a mistake when nothing
    is there.
    """

    path: str
    tier: Tier
    named_by: str
    named: bool = True
    expected: bool = True


class TypesPath:
    """The whole path. ``repeated`` are entries that are the same place as an earlier one, which counts.

    ``notes`` are what was passed over on purpose: told by ``topcook paths``, no problems.
    """

    def __init__(self) -> None:
        """Start without entries."""
        self.entries: list[TypesEntry] = []
        self.repeated: list[TypesEntry] = []
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

    def add(self, found: Iterable[TypesEntry]) -> None:
        """Append entries, each place once, also where two names lead to it."""
        places = {resolved(each.path) for each in self.entries}
        for entry in found:
            place = resolved(entry.path)
            (self.repeated if place in places else self.entries).append(entry)
            places.add(place)


def types_entries(config: Config | None, environ: Mapping[str, str]) -> list[TypesEntry]:
    """The entries of the types path in order of precedence, each place once; the built-ins are not among them."""
    return types_path(config, environ).entries


def types_path(config: Config | None, environ: Mapping[str, str]) -> TypesPath:
    """The types path with what is wrong about its entries.

    What is a user's own is only looked for where ``environ`` says where his home is, or is the process's.
    """
    path = TypesPath()
    if config is None:
        path.add(_of_variable(environ))
    else:
        # PDG_TYPES_PATH is in it, so that a site can lock it.
        path.add(TypesEntry(each.path, Tier.PATH, str(each.origin), each.named) for each in config.types_path)
    houdini = houdini_places(environ)
    path.add(
        TypesEntry(each, Tier.PATH, named_by, named, expected=False) for each, named_by, named in houdini.directories
    )
    own = user_types_dir(environ)
    path.add([TypesEntry(own, Tier.PATH, "your own types directory", expected=False)] if own else [])
    path.problems += [*_problems(path.entries), *houdini.problems]
    path.notes += houdini.notes
    return path


def builtin_types_dir() -> str:
    """The directory of the built-in types: inside an installed wheel, else the repository's ``pdg_types``."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "_builtin_types")
    if os.path.isdir(inside):
        return inside
    return os.path.join(os.path.dirname(os.path.dirname(package)), "pdg_types")


def user_types_dir(environ: Mapping[str, str] | None = None) -> str:
    """The user's own directory of types, which need not exist; empty where ``environ`` names no home.

    It stands behind all else that a user names, and nothing has to be set for it.
    """
    own = user_dir("data", None if environ is os.environ else environ)
    return os.path.join(own, "types") if own else ""


def _of_variable(environ: Mapping[str, str]) -> Iterator[TypesEntry]:
    for entry in environ.get(PATH_VARIABLE, "").split(os.pathsep):
        if entry.strip():
            yield TypesEntry(absolute(os.path.expanduser(entry)), Tier.PATH, PATH_VARIABLE)


def _problems(entries: Iterable[TypesEntry]) -> Iterator[Problem]:
    for entry in entries:
        path = entry.path
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            if entry.expected:
                hint = f"create it, or take it out of {entry.named_by}"
                yield Problem("path-missing", f'types path entry "{path}" does not exist', path, hint=hint)
            continue
        except (OSError, ValueError) as error:
            yield _unreadable(entry, f": {getattr(error, 'strerror', None) or error}")
            continue
        if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
            yield _unreadable(entry)


def _unreadable(entry: TypesEntry, why: str = "") -> Problem:
    from topcook.factory.trust import how_to_allow

    message = f'types path entry "{entry.path}" cannot be read{why}'
    hint = how_to_allow(entry.path)
    return Problem("path-unreadable", message, entry.path, hint=f"{hint}, or take it out of {entry.named_by}")
