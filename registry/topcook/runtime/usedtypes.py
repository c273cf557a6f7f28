"""The types that a cook uses: which version of each, a copy of it, and word when its file is edited meanwhile.

A cook keeps the versions that it began with. The copy is in the cook's own directory, below
``types/<hash of the content>/``: the files as they were executed, and ``version.json``, which says where they were. It
is what a cook that is taken up again would execute.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topcook.factory import Tier
from topcook.runtime.statedir import cook_directory

if TYPE_CHECKING:
    from topcook.factory import Factory, Record

__all__ = ["UsedTypes", "follow"]

#: Seconds between two looks at the files.
LOOK_EVERY = 1.0
_MARK = "version.json"

_Stamp = tuple[int, int, int, int]
Say = Callable[[str], None]


def follow(factory: Factory, changed: Callable[[], None]) -> None:
    """Call a method whenever a factory's records have changed, for as long as the method's object lives."""
    followers = factory.followers

    def told() -> None:
        method = reference()
        if method is not None:
            method()

    reference = weakref.WeakMethod(changed, lambda _: followers.discard(told))
    followers.add(told)


class UsedTypes:
    """Gathers records on the cook thread; the looking is done on a thread of its own, because a disk may hang."""

    def __init__(self, cook_id: str, say: Say, *, look_every: float = LOOK_EVERY) -> None:
        """Gather for a cook; ``say`` is told of edits, on another thread, once for each file."""
        self._cook_id = cook_id
        self._say = say
        self._every = look_every
        self._used: dict[tuple[str, str], tuple[Record, float]] = {}
        self._kept: dict[str, str] = {}
        self._new: list[tuple[Record, float]] = []
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def use(self, record: Record) -> None:
        """The cook uses this version of a type from now on."""
        key = (record.kind.value, record.name)
        if key in self._used:
            return
        at = time.time()
        self._used[key] = (record, at)
        if record.origin.tier is not Tier.PATH or record.version is None:
            return
        self._keep(record)
        with self._lock:
            self._new.append((record, at))
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._watch, name="topcook-used-types", daemon=True)
            self._thread.start()

    def use_all(self, records: Iterable[Record]) -> None:
        """As ``use``, for each of them."""
        for record in records:
            self.use(record)

    def rows(self) -> list[dict[str, Any]]:
        """Each type with its version, as the report has it."""
        return [
            {
                "name": record.name,
                "kind": record.kind.value,
                "path": record.origin.path,
                "distribution": record.origin.distribution or None,
                "distribution_version": record.origin.version or None,
                "content_hash": record.content_hash,
            }
            for record, _ in sorted(self._used.values(), key=lambda each: (each[0].kind.value, each[0].name))
        ]

    def close(self) -> None:
        """The cook has ended: look no more, and drop the copies, which a cook that was killed leaves behind."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        if self._kept:
            folder = cook_directory(self._cook_id)
            import shutil

            shutil.rmtree(os.path.join(folder, "types"), ignore_errors=True)
            with contextlib.suppress(OSError):
                # The keeper's files may still be there: they are its own to remove.
                os.rmdir(folder)

    # The copy

    def _keep(self, record: Record) -> None:
        """Keep the files of a version; that it cannot be kept is said, and the cook goes on."""
        digest = record.content_hash
        if not digest or digest in self._kept or record.version is None:
            return
        folder = Path(cook_directory(self._cook_id), "types", digest)
        self._kept[digest] = str(folder)
        try:
            contents = record.version.contents()
            names = _names(record.origin.path, list(contents))
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in contents.items():
                target = folder / names[path]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            facts = {
                "name": record.name,
                "kind": record.kind.value,
                "path": record.origin.path,
                "stem": record.version.stem,
                "content_hash": digest,
                "files": {names[path]: path for path in contents},
            }
            # Last: a folder with this file in it is whole.
            (folder / _MARK).write_text(json.dumps(facts, indent=1), encoding="utf-8")
        except (OSError, LookupError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "its bytes are gone"
            self._say(f'no copy of "{record.name}" is kept in "{folder}": {reason}')

    # The looking

    def _watch(self) -> None:
        watched: list[_File] = []
        while True:
            with self._lock:
                if self._closed:
                    return
                fresh, self._new = self._new, []
            for record, at in fresh:
                files = record.version.files if record.version is not None else ()
                watched += [_File(path, digest, record.name, at) for path, digest in files]
            for each in list(watched):
                told = each.look()
                if told:
                    self._say(told)
                    watched.remove(each)
            with self._lock:
                if not self._closed and not self._new:
                    self._lock.wait(self._every)


class _File:
    """One file of a version."""

    def __init__(self, path: str, digest: str, name: str, at: float) -> None:
        self._path, self._digest, self._name, self._at = path, digest, name, at
        self._stamp: _Stamp | None = None

    def look(self) -> str:
        """What to say of it: that it is another one now, else nothing."""
        try:
            status = os.stat(self._path)
            stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
            if stamp == self._stamp:
                return ""
            from topcook.factory.bundles import content_hash

            same = content_hash(Path(self._path).read_bytes()) == self._digest
        except FileNotFoundError:
            return self._said("was removed")
        except OSError:
            # A server that does not answer says nothing about the file.
            return ""
        self._stamp = stamp
        return "" if same else self._said("was edited")

    def _said(self, what: str) -> str:
        when = time.strftime("%H:%M", time.localtime(self._at))
        return f'{os.path.basename(self._path)} {what}; this cook keeps "{self._name}" in the version of {when}'


def _names(own: str, paths: list[str]) -> dict[str, str]:
    """Names for the copies, laid out as the files were; what lies elsewhere by its place in the list."""
    home = os.path.dirname(own)
    if os.path.basename(own) == "__init__.py":
        home = os.path.dirname(home)
    names: dict[str, str] = {}
    for number, path in enumerate(paths):
        name = os.path.relpath(path, home)
        names[path] = f"elsewhere/{number}/{os.path.basename(path)}" if name.startswith(os.pardir) else name
    return names
