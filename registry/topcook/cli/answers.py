"""Answers that were kept: what a command that only looks printed, while all that it looked at is as it was.

``topcook list`` looks at a thousand files to print what it printed a minute ago. Its answer is kept with the stamp of
every file and directory that had a say in it; as long as each still has it, the answer is printed again and nothing
is imported but this module, and nothing is believed that was not looked at. ``remembering`` writes what is read here.

This module imports only what any start of Python has loaded already, and what is built in.
"""

from __future__ import annotations

import os
import sys

__all__ = ["FORMAT", "Stamp", "access", "answered", "folder", "key_of", "names_in", "path_of", "stamp"]

#: Counts up with every change of what is kept or how.
FORMAT = 1
#: Variables that change from shell to shell and that nothing here looks at.
_NOISE = frozenset({"_", "OLDPWD", "SHLVL", "WINDOWID", "TMUX_PANE", "STY", "PWD"})
Stamp = tuple[int, ...]
#: A directory, how names begin and end, and the names in it that do.
Listed = tuple[str, str, tuple[str, ...], tuple[str, ...]]
#: Key, until when it may be repeated (0: for ever), stamps by path, who may write to the directories above them,
#: directories that were listed, texts by descriptor, exit status.
Kept = tuple[
    tuple[object, ...],
    float,
    dict[str, "Stamp | None"],
    dict[str, "Stamp | None"],
    list[Listed],
    list[tuple[int, str]],
    int,
]


def answered(words: list[str]) -> int | None:
    """Print what was kept for a command line; its exit status, or None when there is nothing that still holds."""
    place = folder(os.environ)
    if not place:
        return None
    try:
        key = key_of(words)
        kept = _read(path_of(place, key))
    except (OSError, ValueError, EOFError, TypeError, LookupError):
        # Nothing was kept, or what was is damaged: the command itself answers.
        return None
    if kept is None or kept[0] != key or not _holds(*kept[1:5]):
        return None
    return _print(kept[5], kept[6])


def folder(environ: os._Environ[str]) -> str:
    """Where answers are kept: beside the user's index; empty where he wants none, and where there is no such folder."""
    if sys.platform != "linux" or not hasattr(os, "geteuid"):
        # Windows has no stamps to go by, and on macOS only a library knows the folder.
        return ""
    asked = environ.get("TOPCOOK_INDEX")
    if asked is not None:
        off = asked.strip().lower() in {"", "0", "no", "off", "none"}
        return "" if off else os.path.join(os.path.dirname(os.path.abspath(asked)), "answers")
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        base = os.path.join(home, ".cache") if os.path.isabs(home) else ""
    return os.path.join(base, "topcook", "answers") if base else ""


def key_of(words: list[str]) -> tuple[object, ...]:
    """Everything but files that an answer hangs on. Raises OSError when the current directory is gone."""
    from topcook import __version__

    streams = tuple((stream.isatty(), stream.encoding) for stream in (sys.stdout, sys.stderr) if stream is not None)
    size = tuple(os.get_terminal_size(sys.stdout.fileno())) if sys.stdout is not None and sys.stdout.isatty() else ()
    known = tuple(sorted(pair for pair in os.environ.items() if pair[0] not in _NOISE))
    who = (os.geteuid(), os.getegid(), tuple(os.getgroups()))
    python = (sys.version, sys.prefix, sys.executable, tuple(sys.path))
    return (FORMAT, __version__, python, tuple(words), os.getcwd(), who, streams, size, known)


def path_of(place: str, key: tuple[object, ...]) -> str:
    """The file for a key; two keys may share one, and only the last one's answer is in it."""
    import zlib

    return os.path.join(place, f"{zlib.crc32(repr(key).encode('utf-8', 'surrogateescape')):08x}")


def stamp(path: str) -> Stamp | None:
    """What tells one version of a file or directory from another; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (
        found.st_mode,
        found.st_uid,
        found.st_gid,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def access(path: str) -> Stamp | None:
    """Who may change what a directory holds: its mode and owners, and which directory it is."""
    found = stamp(path)
    return found[:4] if found is not None else None


def _read(path: str) -> Kept | None:
    import marshal
    import zlib

    with open(path, "rb") as file:
        about = os.fstat(file.fileno())
        if about.st_uid != os.geteuid() or about.st_mode & 0o022:
            return None
        content = file.read()
    if int.from_bytes(content[:4], "big") != zlib.crc32(content[4:]):
        return None
    # Plain data of our own making: the check above found it whole.
    kept: Kept = marshal.loads(content[4:])  # noqa: S302
    return kept


def _holds(until: float, looked: dict[str, Stamp | None], above: dict[str, Stamp | None], listed: list[Listed]) -> bool:
    """Whether everything is as it was looked at."""
    import time

    if until and time.time() > until:
        return False
    for path, before in looked.items():
        if stamp(path) != before:
            return False
    if any(access(path) != before for path, before in above.items()):
        return False
    return all(names_in(directory, start, ends) == names for directory, start, ends, names in listed)


def names_in(directory: str, start: str, ends: tuple[str, ...] = ("",)) -> tuple[str, ...]:
    """The names in a directory that begin and end so."""
    try:
        return tuple(sorted(name for name in os.listdir(directory) if name.startswith(start) and name.endswith(ends)))
    except OSError:
        return ()


def _print(told: list[tuple[int, str]], status: int) -> int:
    try:
        for stream, text in told:
            (sys.stderr if stream == 2 else sys.stdout).write(text)  # noqa: PLR2004 - the descriptor
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer must not be tried again at the end, where it would be a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"error: the answer could not be written: {error.strerror or error}\n")
            return 1
    return status
