"""What is kept of a probe so that it need not be repeated, and whether it still holds.

A probe's outcome holds while every file that it executed, and every one that it would execute instead, is the same.
Times are compared for equality only: a copy may set them back.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from topcook.factory.sources import Stamp
from topcook.lean import NamedTuple

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate
    from topcook.factory.versions import Fetch
    from topcook.factory.wire import ProbeReport

__all__ = ["SETTLED", "Entry", "KeptFile", "Look", "entry_of", "may_import", "modules_of"]

#: A stamp counts as proof only this many seconds after the last change that it tells of: two edits may share it.
SETTLED = 2.0
#: Seconds after which a probe is repeated whose outcome hung on the moment; a time-out costs more than a refusal.
AGAIN, AGAIN_SLOW = 600.0, 3600.0
#: Problems whose finding out took a probe's whole time.
_SLOW = frozenset({"endless"})
_MOST_WATCHED = 500


class KeptFile(NamedTuple):
    """A file that was executed, as it was; without a digest only its stamp is compared."""

    path: str
    digest: str
    stamp: Stamp | None


class Entry(NamedTuple):
    """What the outcome of one probe hangs on.

    ``checked_at`` is when the files were last known to be these, and ``until`` until when the outcome may be
    believed (0: as long as the rest holds), both in seconds since the epoch. ``missing`` are modules that were
    not installed. ``watched`` are the files of an installed distribution, which are not kept. ``modules`` are
    pairs of a module that is imported and whether it was installed, for those who may have others installed.
    """

    checked_at: float
    files: tuple[KeptFile, ...]
    watched: tuple[KeptFile, ...] = ()
    missing: tuple[str, ...] = ()
    until: float = 0.0
    modules: tuple[tuple[str, bool], ...] = ()


class Look:
    """One look at the disk: every file is asked for once, however many candidates share it."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self.at = time.time()
        self._stamps: dict[str, Stamp | None] = {}
        self._digests: dict[str, str | None] = {}
        self._stems: dict[str, frozenset[str]] = {}
        self._modules: dict[str, bool] = {}

    def knows(self, path: str, stamp: Stamp | None) -> None:
        """Take a stamp that was just made."""
        self._stamps[path] = stamp

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of a file; None when there is none."""
        if path not in self._stamps:
            try:
                status = os.stat(path)
            except OSError:
                self._stamps[path] = None
            else:
                self._stamps[path] = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return self._stamps[path]

    def stamp_of(self, path: str, digest: str) -> Stamp | None:
        """The stamp of a version of a file; None when the file is another version by now."""
        before = self._stamps.get(path)
        return before or (self.stamp(path) if self.digest(path) == digest else None)

    def digest(self, path: str) -> str | None:
        """The fingerprint of a file's content; None when it cannot be read."""
        if path not in self._digests:
            from topcook.factory.bundles import content_hash, read_file

            try:
                self._digests[path] = content_hash(read_file(path))
            except OSError:
                self._digests[path] = None
        return self._digests[path]

    def stems(self, directory: str) -> frozenset[str]:
        """The names that modules in a directory may have."""
        if directory not in self._stems:
            try:
                names = os.listdir(directory)
            except OSError:
                names = []
            self._stems[directory] = frozenset(name.removesuffix(".py") for name in names)
        return self._stems[directory]

    def finds(self, module: str) -> bool:
        """Whether a top-level module can be imported."""
        if module not in self._modules:
            from importlib.util import find_spec

            try:
                self._modules[module] = find_spec(module) is not None
            except (ImportError, ValueError):
                self._modules[module] = module in sys.modules
        return self._modules[module]

    def verify(self, candidate: Candidate, entry: Entry) -> Entry | None:
        """The entry, renewed where files were found the same by reading them; None when a probe is needed."""
        if entry.until and self.at >= entry.until:
            return None
        if any(self.finds(name) for name in entry.missing):
            return None
        if any(self.finds(name) != there for name, there in entry.modules):
            return None
        if any(self.stamp(each.path) != each.stamp for each in entry.watched):
            return None
        files = entry.files
        if all(_proves(self.stamp(each.path), each.stamp, entry.checked_at) for each in files):
            renewed = entry
        elif all(self.digest(each.path) == each.digest for each in files):
            renewed = entry._replace(
                checked_at=self.at, files=tuple(each._replace(stamp=self.stamp(each.path)) for each in files)
            )
            if not all(_proves(each.stamp, each.stamp, self.at) for each in renewed.files):
                # A clock that goes ahead of ours: nothing would be known next time that is not known now.
                renewed = entry
        else:
            return None
        return renewed if not candidate.is_package or self._is_whole(candidate.path, entry) else None

    def _is_whole(self, path: str, entry: Entry) -> bool:
        """Whether no file was added to a package."""
        inside = os.path.dirname(path) + os.sep
        kept = {each.path for each in entry.files if each.path.startswith(inside)}
        return kept == set(sources_below(os.path.dirname(path)))


def _proves(now: Stamp | None, kept: Stamp | None, checked_at: float) -> bool:
    if now is None or now != kept:
        return False
    return checked_at > max(now.mtime_ns, now.ctime_ns) / 1e9 + SETTLED


def sources_below(directory: str) -> list[str]:
    """All source files in a directory, at any depth."""
    found: list[str] = []
    for place, _folders, names in os.walk(directory):
        found += [os.path.join(place, name) for name in names if name.endswith(".py")]
    return [path for path in found if os.path.isfile(path)]


def may_import(files: Iterable[tuple[str, str]], stems: frozenset[str], fetch: Fetch) -> bool:
    """Whether modules that appeared beside a file may be what it imports from now on, by their names in its lines."""
    if not stems:
        return False
    names = b"|".join(re.escape(os.fsencode(stem)) for stem in sorted(stems))
    pattern = re.compile(rb"import[^\n]*\b(?:" + names + rb")\b|\bfrom[ \t]+(?:" + names + rb")\b")
    contents = (fetch(path, digest) for path, digest in files)
    return any(content is None or pattern.search(content) for content in contents)


def entry_of(candidate: Candidate, report: ProbeReport, look: Look) -> Entry:
    """The entry of a probe that was made after ``look`` looked."""
    files = tuple(KeptFile(each.path, each.digest, look.stamp_of(each.path, each.digest)) for each in report.files)
    watched: tuple[KeptFile, ...] = ()
    if candidate.entry_point is not None:
        watched = tuple(KeptFile(path, "", look.stamp(path)) for path in distribution_files(candidate.path))
    elif not files:
        files = (KeptFile(candidate.path, look.digest(candidate.path) or "", look.stamp(candidate.path)),)
    until = look.at + _patience(report) if report.transient else 0.0
    if until:
        # A helper that may not be read: once its mode is mended, nobody shall wait for the time to be over.
        known = {each.path for each in files}
        named = {problem["path"] for record in report.records for problem in record["problems"]}
        paths = sorted(each for each in named if each and each not in known)
        watched += tuple(KeptFile(path, "", look.stamp(path)) for path in paths)
    return Entry(look.at, files, watched, tuple(report.missing), until)


def modules_of(report: ProbeReport, look: Look) -> tuple[tuple[str, bool], ...]:
    """The modules that a bundle imports and that are installed, or not, apart from it: neither siblings nor ours."""
    import ast

    from topcook.factory.bundles import OURS

    names: set[str] = set()
    own = {os.path.basename(each.path).removesuffix(".py") for each in report.files}
    own |= {os.path.basename(os.path.dirname(each.path)) for each in report.files if "__init__" in each.path}
    for each in report.files:
        try:
            tree = ast.parse(each.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.partition(".")[0])
    return tuple((name, look.finds(name)) for name in sorted(names - own - OURS - sys.stdlib_module_names))


def _patience(report: ProbeReport) -> float:
    codes = {problem["code"] for record in report.records for problem in record["problems"]}
    return AGAIN_SLOW if codes & _SLOW else AGAIN


def distribution_files(value: str) -> list[str]:
    """The sources of the package that an entry point names: one that is edited where it lies is probed again."""
    from importlib.util import find_spec

    try:
        spec = find_spec(value.partition(":")[0].partition(".")[0].strip())
    except (ImportError, ValueError):
        return []
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return []
    if spec.submodule_search_locations is None:
        return [spec.origin]
    return sources_below(os.path.dirname(spec.origin))[:_MOST_WATCHED]
