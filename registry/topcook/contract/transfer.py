"""Copying a file or directory where jobs find it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile

CHUNK = 1 << 20


def transfer(source: str, target: str) -> bool:
    """Make ``target`` a copy of ``source``, directories with all they hold; whether anything had to be written.

    What is already the same is left alone. A file appears whole or not at all, with its modification time and mode;
    missing directories are made. Raises ``OSError`` that names the path.
    """
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        # Sorted, and listed before copying: the target may lie inside the source.
        names = sorted(os.listdir(source))
        inside = os.path.realpath(target)
        wrote = [
            transfer(os.path.join(source, name), os.path.join(target, name))
            for name in names
            if not _holds(os.path.join(source, name), inside)
        ]
        return any(wrote)
    found = os.stat(source)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(22, "is neither a file nor a directory", source)
    if _is_same(source, found, target):
        return False
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    _copy(source, found, target)
    return True


def _holds(path: str, inner: str) -> bool:
    outer = os.path.realpath(path)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def _is_same(source: str, found: os.stat_result, target: str) -> bool:
    try:
        there = os.stat(target)
    except OSError:
        return False
    if os.path.samestat(found, there):
        return True
    if found.st_size != there.st_size or not stat.S_ISREG(there.st_mode):
        return False
    if stat.S_IMODE(found.st_mode) != stat.S_IMODE(there.st_mode):
        return False
    # The time alone is not trusted: rsync and archives set it backwards.
    return int(found.st_mtime) == int(there.st_mtime) and _same_content(source, target)


def _same_content(source: str, target: str) -> bool:
    # filecmp.cmp would answer from a cache that is keyed on just the size and time that are not trusted here.
    with open(source, "rb") as one, open(target, "rb") as two:
        while block := one.read(CHUNK):
            if block != two.read(CHUNK):
                return False
        return True


def _copy(source: str, found: os.stat_result, target: str) -> None:
    folder, name = os.path.split(target)
    handle, part = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder or ".")
    try:
        with os.fdopen(handle, "wb") as stream, open(source, "rb") as reader:
            shutil.copyfileobj(reader, stream, CHUNK)
        os.chmod(part, stat.S_IMODE(found.st_mode))
        os.utime(part, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.replace(part, target)
    except BaseException:
        # Whatever ended the copy, a half of it must not stay behind.
        os.unlink(part)
        raise
