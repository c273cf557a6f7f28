"""Where types come from: the types path, installed distributions, and what ships with Topcook.

Nothing here executes a types file. Precedence is the order in which ``sources`` yields.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from topcook.errors import Problem
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.typespath import TypesEntry

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

__all__ = ["ENTRY_POINT_GROUP", "Candidate", "Stamp", "candidates_in", "classified"]

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


class Stamp(NamedTuple):
    """What one stat said of a file: the same stamp, long enough after it, means the same content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(slots=True)
class Candidate:
    """A file, package or entry point that may register types.

    ``path`` is the file to execute (a package's ``__init__.py``); ``stem`` its name without suffix, or the
    package's; ``stamp`` what the one stat said that was made of it (None: an entry point, or nothing to stat).
    Three things keep it from ever being executed or probed: ``refused`` problems (not to be trusted, or no file at
    all), ``disabled`` by a block list, whose reason it is, and ``skipped``, why its text is none of a types file:
    None as long as nobody has read it (``classified``). ``warnings`` keep it from nothing.
    """

    origin: Origin
    path: str
    stem: str
    is_package: bool = False
    entry_point: EntryPoint | None = None
    stamp: Stamp | None = None
    refused: tuple[Problem, ...] = ()
    disabled: str = ""
    skipped: str | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether its record is known without executing it."""
        return bool(self.refused or self.disabled or self.skipped)

    def record(self) -> Record:
        """The record of a settled candidate: refused (failed), disabled or skipped."""
        record = Record(self.stem, self.origin, State.SKIPPED, Kind.UNKNOWN, reason=self.skipped or "")
        if self.disabled:
            record.state, record.reason = State.DISABLED, self.disabled
        elif self.refused:
            record.state, record.problems, record.reason = State.FAILED, list(self.refused), self.refused[0].message
        record.aliases = (self.stem.lower(),)
        return record


def candidates_in(entry: TypesEntry) -> list[Candidate]:
    """All candidates of one entry, which may also be a single file; sorted, one level of directories deep.

    No file is opened: whether one is a types file at all is for ``classified`` to say. A file that is named itself
    is meant, and executed whatever its text.
    """
    path, root = entry.path, entry.path
    try:
        status = os.stat(path)
    except OSError:
        return []
    if stat.S_ISDIR(status.st_mode):
        return list(_walk(path, root, entry.tier, depth=1))
    found = _file(path, os.path.dirname(path), entry.tier, os.path.basename(path)[:-3], status)
    found.skipped = ""
    return [found]


def classified(candidate: Candidate) -> Candidate:
    """The candidate, its text read unless that is known already, so that ``skipped`` is no longer None."""
    if candidate.skipped is None:
        candidate.skipped = "" if candidate.refused or candidate.disabled else why_skipped(candidate.path)
    return candidate


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
            yield _file(entry.path, root, tier, entry.name[:-3], _stat(entry))
        elif depth and entry.is_dir():
            init = os.path.join(entry.path, "__init__.py")
            if os.path.isfile(init):
                yield _file(init, root, tier, entry.name, os.stat(init), is_package=True)
            elif entry.name.isidentifier():
                yield from _walk(entry.path, root, tier, depth - 1)


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None


def _file(
    path: str, root: str, tier: Tier, stem: str, status: os.stat_result | None, *, is_package: bool = False
) -> Candidate:
    stamp = None
    if status is not None:
        stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return Candidate(Origin(tier, path, root), path, stem, is_package, stamp=stamp)


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
    return Candidate(origin, entry.value, entry.name, entry_point=entry, skipped="")
