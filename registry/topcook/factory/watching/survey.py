"""What there is to be watched below an entry of the types path: its files, and the directories whose events matter.

One walk answers both the watcher, which wants directories, and the poller, which compares files with what they were.
"""

from __future__ import annotations

import os

from topcook.lean import dataclass, field

__all__ = ["EVERY", "Plan", "Survey", "plan_of", "survey"]

#: Every name in a directory matters, not only some.
EVERY = ""
#: Directories to watch, and in each the names that matter, with the entries that they matter to.
Plan = dict[str, dict[str, set[str]]]
#: Size, mtime_ns, ctime_ns, device and inode of a file, and its mode and owner, which trust hangs on.
Stamp = tuple[int, ...]

#: Links may lead to links; a circle of them ends here.
_MOST_HOPS = 16


@dataclass(slots=True)
class Survey:
    """What one walk saw of an entry.

    ``files`` are its source files by path, ``directories`` those that they lie in, and ``hops`` the (directory, name)
    pairs that links lead through. ``error`` is why the walk is not to be believed: a server that does not answer is no
    proof that its files are gone.
    """

    entry: str
    files: dict[str, Stamp] = field(default_factory=dict)
    directories: dict[str, Stamp] = field(default_factory=dict)
    hops: set[tuple[str, str]] = field(default_factory=set)
    error: OSError | None = None

    def differs(self, before: Survey) -> bool:
        """Whether anything is not as it was."""
        return self.files != before.files or self.directories != before.directories


def survey(entry: str) -> Survey:
    """Walk an entry as the scan does: the directory, one level below it, and whole packages. Opens no file."""
    found = Survey(entry)
    _follow(found, entry)
    try:
        status = os.stat(entry)
    except (FileNotFoundError, NotADirectoryError):
        return found
    except OSError as error:
        found.error = error
        return found
    if os.path.isdir(entry):
        _directory(found, entry, depth=1)
    else:
        found.files[entry] = _stamp(status)
    return found


def plan_of(surveys: list[Survey]) -> Plan:
    """The directories to watch for these entries.

    The directory above an entry is among them, for the entry's own name: one that is removed and made again is heard
    of there only. Of a missing entry it is the nearest directory that exists.
    """
    plan: Plan = {}
    for each in surveys:
        for directory in each.directories:
            # By its real path: some watchers do not follow a link to a directory, and name it as it is in events.
            plan.setdefault(os.path.realpath(directory), {}).setdefault(EVERY, set()).add(each.entry)
        for directory, name in {*each.hops, above(each.entry)}:
            plan.setdefault(os.path.realpath(directory), {}).setdefault(name, set()).add(each.entry)
    return plan


def above(path: str) -> tuple[str, str]:
    """The nearest directory above a path that exists, and the name in it that leads there."""
    directory, name = os.path.split(os.path.abspath(path))
    while not os.path.isdir(directory) and os.path.dirname(directory) != directory:
        directory, name = os.path.split(directory)
    return directory, name


def _directory(found: Survey, directory: str, depth: int, *, package: bool = False) -> None:
    try:
        with os.scandir(directory) as listing:
            entries = list(listing)
        found.directories[directory] = _identity(os.stat(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        found.error = error
        return
    for each in entries:
        if each.name.startswith((".", "__pycache__", "~")):
            continue
        if each.is_symlink():
            _follow(found, each.path)
        if _is_directory(each):
            # A link may lead upwards: inside a package none is followed.
            if depth or (package and not each.is_symlink()):
                whole = package or os.path.isfile(os.path.join(each.path, "__init__.py"))
                _directory(found, each.path, 0, package=whole)
        elif each.name.endswith(".py"):
            _file(found, each.path)


def _is_directory(each: os.DirEntry[str]) -> bool:
    try:
        return each.is_dir()
    except OSError:
        return False


def _file(found: Survey, path: str) -> None:
    try:
        found.files[path] = _stamp(os.stat(path))
    except OSError:
        # A link that leads nowhere, or a file that has just gone; being there counts all the same.
        found.files[path] = ()


def _follow(found: Survey, path: str) -> None:
    """Note where the links of a path lead: what happens to a file behind a link is heard of in the file's directory."""
    for _ in range(_MOST_HOPS):
        try:
            target = os.readlink(path)
        except OSError:
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        found.hops.add(above(path))


def _stamp(status: os.stat_result) -> Stamp:
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_uid,
    )


def _identity(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_mode, status.st_uid)
