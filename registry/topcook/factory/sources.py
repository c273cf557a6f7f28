"""Where types come from: the types path, installed distributions, and what ships with Topcook.

Nothing here executes a types file. Precedence is the order in which ``sources`` yields.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.records import Origin, Tier

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

__all__ = ["ENTRY_POINT_GROUP", "PATH_VARIABLE", "Candidate", "builtin_types_dir", "candidates_in", "types_path"]

PATH_VARIABLE = "PDG_TYPES_PATH"
ENTRY_POINT_GROUP = "pdg.types"
#: The function that makes a file a types file.
HOOK = "registerTypes"
#: It is defined, assigned or imported; a word in a comment or text does not count.
_HOOK_DEFINED = re.compile(
    rb"^[ \t]*(?:async[ \t]+)?def[ \t]+registerTypes\b"
    rb"|\bregisterTypes[ \t]*(?::[^=\n]*)?="
    rb"|import[^\n#]*\bregisterTypes\b"
    rb"|import[ \t]*\([^)]*\bregisterTypes\b",
    re.MULTILINE,
)
_SCHEDULER_CLASS = re.compile(rb"^class[ \t]+(\w+)[ \t]*\([^)]*\bPyScheduler\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, package or entry point that may register types.

    ``path`` is the file to execute (a package's ``__init__.py``); ``stem`` its name without suffix, or the
    package's. ``skipped`` says why it is none, empty when it is one.
    """

    origin: Origin
    path: str
    stem: str
    is_package: bool = False
    entry_point: EntryPoint | None = None
    skipped: str = ""


def builtin_types_dir() -> str:
    """The directory of the built-in types: inside an installed wheel, else the repository's ``pdg_types``."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "_builtin_types")
    if os.path.isdir(inside):
        return inside
    return os.path.join(os.path.dirname(os.path.dirname(package)), "pdg_types")


def types_path(environ: Mapping[str, str]) -> list[str]:
    """The user's own entries, left to right, made absolute, each once."""
    entries = environ.get(PATH_VARIABLE, "").split(os.pathsep)
    full = (os.path.abspath(os.path.expanduser(entry)) for entry in entries if entry.strip())
    return list(dict.fromkeys(full))


def user_types_dir() -> str:
    """The user's own directory of types, which need not exist: behind the types path, where nothing has to be set."""
    import platformdirs

    return os.path.join(platformdirs.user_data_dir("topcook"), "types")


def path_problems(path: list[str]) -> Iterator[Problem]:
    """What is wrong with the entries themselves."""
    for entry in path:
        if not os.path.exists(entry):
            hint = f"create it, or take it out of {PATH_VARIABLE}"
            yield Problem("path-missing", f'types path entry "{entry}" does not exist', entry, hint=hint)
        elif os.path.isdir(entry) and not os.access(entry, os.R_OK | os.X_OK):
            yield Problem("path-unreadable", f'types path entry "{entry}" cannot be read', entry, hint="chmod u+rx")


def candidates_in(entry: str, tier: Tier) -> list[Candidate]:
    """All candidates of one entry, which may also be a single file; sorted, one level of directories deep.

    A file without ``registerTypes`` is a helper: it is in the list, with the reason why it is skipped. A file that
    is named itself is meant, and executed whatever its text.
    """
    if os.path.isfile(entry):
        named = _file(entry, os.path.dirname(entry), tier)
        return [replace(named, skipped="")]
    return list(_walk(entry, entry, tier, depth=1))


def _walk(directory: str, root: str, tier: Tier, depth: int) -> Iterator[Candidate]:
    try:
        with os.scandir(directory) as listing:
            entries = sorted(listing, key=lambda each: each.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith((".", "__", "~")):
            continue
        if entry.name.endswith(".py") and not entry.is_dir():
            yield _file(entry.path, root, tier)
        elif depth and entry.is_dir():
            init = os.path.join(entry.path, "__init__.py")
            if os.path.isfile(init):
                yield _file(init, root, tier, package=entry.name)
            elif entry.name.isidentifier():
                yield from _walk(entry.path, root, tier, depth - 1)


def _file(path: str, root: str, tier: Tier, package: str = "") -> Candidate:
    stem = package or os.path.splitext(os.path.basename(path))[0]
    return Candidate(Origin(tier, path, root), path, stem, bool(package), skipped=why_skipped(path))


def why_skipped(path: str) -> str:
    """Why a file is no types file, empty when it is one (or cannot be read, which its record will say)."""
    if os.path.exists(path) and not os.path.isfile(path):
        # Whoever opens a pipe waits for its writer, perhaps for ever.
        return "it is no regular file (a pipe, socket or device)"
    try:
        with open(path, "rb") as stream:
            text = stream.read()
    except OSError:
        return ""
    if _HOOK_DEFINED.search(text):
        return ""
    found = _SCHEDULER_CLASS.search(text)
    if found:
        return f"it has the class {found.group(1).decode()} but no {HOOK}(type_registry)"
    return f"a helper file: it has no {HOOK}"


def entry_points() -> tuple[list[Candidate], list[Problem]]:
    """The candidates of installed distributions, enumerated once, sorted by distribution and name."""
    from importlib_metadata import entry_points as installed

    try:
        found = list(installed(group=ENTRY_POINT_GROUP))
    except Exception as error:  # noqa: BLE001 - one distribution's broken metadata must not hide the rest of the types
        problem = Problem("entry-points", f"the installed entry points cannot be read: {error}", hint="pip check")
        return [], [problem]
    rows = [_entry_point(each) for each in found]
    return sorted(rows, key=lambda each: (each.origin.distribution.lower(), each.stem)), []


def _entry_point(entry: EntryPoint) -> Candidate:
    try:
        distribution = entry.dist
        name, version = (distribution.name, distribution.version) if distribution is not None else ("unknown", "")
    except Exception:  # noqa: BLE001 - metadata that cannot be read has no name; its types may still be good
        name, version = "unknown", ""
    origin = Origin(Tier.ENTRY_POINT, entry.value, ENTRY_POINT_GROUP, name, version)
    return Candidate(origin, entry.value, entry.name, entry_point=entry)
