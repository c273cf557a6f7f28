"""Candidates: the files, packages and entry points that may register types, and whether they may be executed.

Nothing here executes a types file. Finding candidates opens none either: it lists directories and makes one stat of
each file; ``classified`` reads those whose text nobody knows yet.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from topcook.errors import Problem
from topcook.factory.distributions import ENTRY_POINT_GROUP, Blobs, InstalledEntry, installed_entries
from topcook.factory.records import Kind, Origin, Record, State, Tier
from topcook.factory.trust import ABOVE, DIRECTORY, FILE, Trust, UntrustedFileError, how_to_allow, quote, read_trusted
from topcook.factory.typespath import TypesEntry
from topcook.lean import NamedTuple, dataclass
from topcook.model.userdirs import absolute, resolved

if TYPE_CHECKING:
    from topcook.config import Config

__all__ = [
    "ENTRY_POINT_GROUP",
    "HOOK",
    "Candidate",
    "Rules",
    "Stamp",
    "block_reason",
    "candidates_in",
    "classified",
    "disable_by_name",
    "entry_points",
    "path_warnings",
    "why_skipped",
]

#: The function that makes a file a types file.
HOOK = "registerTypes"
_NO_FILE = "it is no regular file (a pipe, socket or device)"


class Stamp(NamedTuple):
    """What one stat said of a file: the same stamp, long enough after it, means the same content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(slots=True)
class Candidate:
    """A file, package or entry point that may register types.

    ``path`` is the file to execute (a package's ``__init__.py``), of an entry point its value; ``stem`` its name
    without suffix, or the package's; ``stamp`` what the one stat said that was made of it (None: an entry point, or
    nothing to stat). Three things keep it from ever being executed or probed: ``refused`` problems (not to be trusted,
    or no file at all), ``disabled`` by a block list, whose reason it is, and ``skipped``, why its text is none of a
    types file: None as long as nobody has read it (``classified``). ``warnings`` keep it from nothing. ``trust`` is
    what its files are held against when they are read; None for what is always trusted. ``named`` is a file that
    was named itself, and is meant whatever its text.
    """

    origin: Origin
    path: str
    stem: str
    is_package: bool = False
    entry_point: InstalledEntry | None = None
    stamp: Stamp | None = None
    refused: tuple[Problem, ...] = ()
    disabled: str = ""
    skipped: str | None = None
    warnings: tuple[Problem, ...] = ()
    trust: Trust | None = None
    named: bool = False

    @property
    def settled(self) -> bool:
        """Whether its record is known without executing it."""
        return bool(self.refused or self.disabled or self.skipped)

    def record(self) -> Record:
        """The record of a settled candidate: disabled, refused (failed) or skipped.

        What is refused or disabled answers to the names that its text may give; reading it executes nothing.
        """
        if self.skipped and not self.refused and not self.disabled:
            aliases = (self.stem.lower(),)
            return Record(self.stem, self.origin, State.SKIPPED, Kind.UNKNOWN, reason=self.skipped, aliases=aliases)
        from topcook.factory.probing.guess import guessed

        text = b""
        if self.entry_point is None:
            with suppress(OSError):
                text = read_trusted(self.path, None)
        if self.disabled:
            return guessed(self, text, State.DISABLED, [], self.disabled)
        return guessed(self, text, State.FAILED, list(self.refused))

    def read(self, path: str = "") -> bytes:
        """The bytes to execute, of another file beside it those of that, judged after they were opened.

        Raises UntrustedFileError, and other OSErrors.
        """
        directory = os.path.dirname(path or self.path)
        if self.trust is not None and directory != os.path.dirname(self.path):
            # A folder of helpers, which nobody has looked at yet.
            problems = self.trust.refused(directory, os.stat(directory), DIRECTORY)
            if problems:
                raise UntrustedFileError(problems)
        return read_trusted(path or self.path, self.trust)


class Rules(NamedTuple):
    """What candidates are held against: whom to trust (None: everybody), and the block list of a configuration."""

    trust: Trust | None = None
    config: Config | None = None


_NO_RULES = Rules()


def candidates_in(entry: TypesEntry, rules: Rules = _NO_RULES) -> list[Candidate]:
    """All candidates of one entry, which may also be a single file; sorted, one level of directories deep.

    No file is opened: whether one is a types file at all is for ``classified`` to say. A file that is named itself
    is meant, and executed whatever its text. What is not there has no candidates, but ``typespath`` has a problem.
    """
    return _Search(entry, rules).candidates()


class _Search:
    """One entry being searched. Built-ins pass every rule of trust."""

    def __init__(self, entry: TypesEntry, rules: Rules) -> None:
        self.entry = entry
        self.trust = None if entry.tier is Tier.BUILTIN else rules.trust
        self.config = rules.config if rules.config is not None and rules.config.blocks else None
        self.walked: set[tuple[int, int]] = set()

    def candidates(self) -> list[Candidate]:
        path = self.entry.path
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return []
        above = _refused_above(path, self.trust)
        if stat.S_ISDIR(status.st_mode):
            return self._walk(path, status, above, depth=1)
        directory, name = os.path.split(path)
        around = above + self._of_directory(directory)
        if name == "__init__.py":
            # What begins a package means the package.
            home, package = os.path.split(directory)
            found = self._file(path, home, package, status, around, is_package=True)
        else:
            found = self._file(path, directory, os.path.splitext(name)[0], status, around)
        found.skipped, found.named = "", True
        return [found]

    def _of_directory(self, directory: str) -> tuple[Problem, ...]:
        """Why a directory is not to be trusted. Whoever may write it may put files into it and exchange them."""
        if self.trust is None:
            return ()
        try:
            return self.trust.refused(directory, os.stat(directory), DIRECTORY)
        except OSError:
            return ()

    def _walk(self, directory: str, status: os.stat_result, around: tuple[Problem, ...], depth: int) -> list[Candidate]:
        # A link back to where it stands would show every file twice.
        if (status.st_dev, status.st_ino) in self.walked:
            return []
        self.walked.add((status.st_dev, status.st_ino))
        try:
            with os.scandir(directory) as listing:
                entries = sorted(listing, key=lambda each: each.name)
        except OSError as error:
            return [self._unreadable(directory, error)] if depth == 0 else []
        around += self.trust.refused(directory, status, DIRECTORY) if self.trust is not None else ()
        found: list[Candidate] = []
        for entry in entries:
            name = entry.name
            if name.startswith((".", "__", "~")):
                continue
            if not name.endswith(".py"):
                if depth and entry.is_dir():
                    found += self._subdirectory(entry, around, depth)
                continue
            try:
                found.append(self._file(entry.path, self.entry.path, name[:-3], entry.stat(), around))
            except OSError as error:
                found.append(self._unreadable(entry.path, error))
        return found

    def _subdirectory(self, entry: os.DirEntry[str], around: tuple[Problem, ...], depth: int) -> list[Candidate]:
        init = os.path.join(entry.path, "__init__.py")
        try:
            status = entry.stat()
            if not os.path.lexists(init):
                return self._walk(entry.path, status, around, depth - 1)
            around += self._of_directory(entry.path)
            return [self._file(init, self.entry.path, entry.name, os.stat(init), around, is_package=True)]
        except OSError as error:
            return [self._unreadable(entry.path, error)]

    def _file(
        self,
        path: str,
        root: str,
        stem: str,
        status: os.stat_result,
        around: tuple[Problem, ...],
        *,
        is_package: bool = False,
    ) -> Candidate:
        stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        found = Candidate(Origin(self.entry.tier, path, root), path, stem, is_package, None, stamp, around)
        found.trust = self.trust
        if self.trust is not None and not self.trust.passes(status):
            found.refused += self.trust.refused(path, status)
            found.warnings = self.trust.warnings(path, status)
        if not stat.S_ISREG(status.st_mode):
            directory = "it is a directory, though it is called as a file"
            found.skipped = directory if stat.S_ISDIR(status.st_mode) else _NO_FILE
            found.refused = ()
        if self.config is not None:
            found.disabled = block_reason(self.config, found)
        return found

    def _unreadable(self, path: str, error: OSError) -> Candidate:
        """A name that leads nowhere: a broken link, a link to itself, a directory that may not be read."""
        problem = _unreadable(path, error)
        stem = os.path.splitext(os.path.basename(path))[0]
        return Candidate(Origin(self.entry.tier, path, self.entry.path), path, stem, refused=(problem,))


def _unreadable(path: str, error: OSError) -> Problem:
    message, hint = f"cannot be read: {error.strerror or error}", "let it point to a file, or remove it"
    if isinstance(error, PermissionError):
        hint = how_to_allow(path)
    elif os.path.islink(path):
        message = f'is a link to "{_target(path)}", which cannot be read: {error.strerror or error}'
    else:
        hint = "look at it on the disk: ls -l " + quote(path)
    return Problem("unreadable", message, path, hint=hint)


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return "nothing"


def _above(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """The directories above an entry, also those above what it is a link to."""
    seen = set()
    for start in dict.fromkeys((absolute(path), resolved(path))):
        directory = os.path.dirname(start)
        while directory not in seen:
            seen.add(directory)
            with suppress(OSError):
                yield directory, os.stat(directory)
            directory = os.path.dirname(directory)


def _refused_above(path: str, trust: Trust | None) -> tuple[Problem, ...]:
    if trust is None or not trust.strict:
        return ()
    return tuple(problem for each, status in _above(path) for problem in trust.refused(each, status, ABOVE))


def path_warnings(entry: TypesEntry, candidates: Sequence[Candidate], trust: Trust | None) -> list[Problem]:
    """What is risky about an entry and its candidates, and not refused: one problem of each kind."""
    if trust is None or entry.tier is Tier.BUILTIN:
        return []
    found: dict[str, list[Problem]] = {}
    places = dict.fromkeys([entry.path, *(os.path.dirname(each.path) for each in candidates)])
    for place in places:
        try:
            status = os.stat(place)
            subject = DIRECTORY if stat.S_ISDIR(status.st_mode) else FILE
            warnings = trust.warnings(place, status, subject)
        except OSError:
            continue
        # Whoever is told to mend the worse of two needs not hear of both.
        for problem in warnings if not trust.refused(place, status, subject) else ():
            found.setdefault(problem.code, []).append(problem)
    for problem in (problem for each in candidates if not each.refused for problem in each.warnings):
        found.setdefault(problem.code, []).append(problem)
    for directory, status in _above(entry.path):
        for problem in trust.warnings(directory, status, ABOVE):
            found.setdefault(problem.code, []).append(problem)
    return [_told_once(entry.path, problems) for problems in found.values()]


def _told_once(path: str, problems: list[Problem]) -> Problem:
    first = problems[0]
    others = len(dict.fromkeys(each.path for each in problems)) - 1
    if not others:
        return first
    hint = f"{first.hint}, and the same for the others" if first.hint else None
    return Problem(first.code, f"{first.message}, and {others} more in this place", first.path or path, hint=hint)


def block_reason(config: Config, candidate: Candidate, name: str = "") -> str:
    """Why the block list disables a candidate, or its type ``name``, which is known once it was probed; else empty."""
    if candidate.entry_point is not None:
        names = [candidate.entry_point.value.partition(":")[0].strip(), candidate.stem]
    else:
        # Houdini's list of modules has names of files and directories.
        inside = os.path.relpath(candidate.path, candidate.origin.root).split(os.sep)
        names = [candidate.stem, *(each for each in inside if each not in {os.pardir, "__init__.py"})]
    for module in dict.fromkeys(names):
        path = "" if candidate.entry_point is not None else candidate.path
        block = config.block_for(name=name, path=path, module=module, distribution=candidate.origin.distribution)
        if block is not None:
            by = str(block.origin)
            return (
                block.reason if by in block.reason else f"{block.reason} ({by})" if block.reason else f"blocked by {by}"
            )
    return ""


def disable_by_name(config: Config, candidate: Candidate, records: Sequence[Record]) -> None:
    """Disable those of a probed candidate's types whose names the block list has: a file tells them too late."""
    for record in records if config.blocks else ():
        if record.state not in {State.SKIPPED, State.DISABLED}:
            reason = block_reason(config, candidate, record.name)
            if reason:
                record.state, record.reason = State.DISABLED, reason


def classified(candidate: Candidate) -> Candidate:
    """The candidate, its text read unless that is known already, so that ``skipped`` is no longer None."""
    if candidate.skipped is None:
        from topcook.factory.typestext import why_no_types

        candidate.skipped = ""
        if not candidate.refused and not candidate.disabled:
            try:
                candidate.skipped = why_no_types(candidate.read())
            except UntrustedFileError as error:
                candidate.refused = tuple(error.problems)
            except OSError as error:
                candidate.refused = (_unreadable(candidate.path, error),)
    return candidate


def why_skipped(path: str) -> str:
    """Why a file is no types file, empty when it is one (or cannot be read, which its record will say)."""
    from topcook.factory.typestext import why_no_types

    try:
        return why_no_types(read_trusted(path, None))
    except OSError as error:
        return _NO_FILE if os.path.exists(path) and not error.errno else ""


def entry_points(cache: Blobs | None = None, config: Config | None = None) -> tuple[list[Candidate], list[Problem]]:
    """The candidates of installed distributions, sorted by distribution and name; ``cache`` spares the search."""
    entries, problems = installed_entries(cache)
    found = []
    for entry in entries:
        candidate = Candidate(entry.origin, entry.value, entry.name, entry_point=entry, skipped="")
        candidate.refused = entry.problems
        if config is not None and config.blocks:
            candidate.disabled = block_reason(config, candidate)
        found.append(candidate)
    return found, problems
