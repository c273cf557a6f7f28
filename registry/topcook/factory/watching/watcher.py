"""Events from the operating system: which entries of the types path something happened below, and that at once.

watchdog's observer does the listening. What it cannot do is kept up here: a directory that was removed and made
again is armed anew, a thread that died is replaced, and a directory that cannot be watched is given back to be polled.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from topcook.factory.watching.survey import EVERY, Plan

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

__all__ = ["Happening", "Watcher", "why_not_watched"]

#: (entries that it matters to, what happened, the file or directory it happened to).
Happening = Callable[[set[str], str, str], None]

#: More directories than these are polled: each costs the system a watch and us a thread.
MOST_DIRECTORIES = 256
#: What editors and Python itself leave beside a file.
_NOISE = (".pyc", ".pyo", ".swp", ".swx", ".swo", "~", ".tmp", ".lock")

_WHY = {
    errno.ENOSPC: "the system's limit of watched directories is reached (sysctl fs.inotify.max_user_watches)",
    errno.EMFILE: "the system's limit of watchers is reached (sysctl fs.inotify.max_user_instances)",
    errno.EACCES: "it may not be read",
}


def why_not_watched(error: OSError) -> str:
    """Why a directory cannot be watched, with the setting that would mend it."""
    return _WHY.get(error.errno or 0, f"the system refuses to watch it: {error.strerror or error}")


class Watcher:
    """Listens to directories. ``tell`` is called on watchdog's thread and must return at once.

    ``make_observer`` gives a watchdog observer that is not started; None is the system's own kind.
    """

    def __init__(self, tell: Happening, make_observer: Callable[[], BaseObserver] | None = None) -> None:
        """Listen to nothing yet."""
        self._tell = tell
        self._make = make_observer or _system_observer
        self._observer: BaseObserver | None = None
        self._armed: dict[str, tuple[ObservedWatch, tuple[int, int]]] = {}
        self._plan: Plan = {}
        #: Directories that cannot be watched, with the reason.
        self.refused: dict[str, str] = {}
        #: How often a dead observer was replaced.
        self.deaths = 0

    def arm(self, plan: Plan) -> bool:
        """Listen to exactly these directories from now on; whether some of them were not listened to before.

        What happened in such a one before now has told nobody.
        """
        if self.is_dead():
            self.deaths += 1
            self._drop_observer()
        self._plan, self.refused = plan, {}
        for directory in [each for each in self._armed if each not in plan]:
            self._unwatch(directory)
        fresh = False
        for directory in plan:
            fresh = self._watch(directory) or fresh
        return fresh

    def close(self) -> None:
        """Listen no more."""
        self._drop_observer()

    @property
    def watched(self) -> list[str]:
        """The directories that are listened to."""
        return list(self._armed)

    def is_dead(self) -> bool:
        """Whether it hears nothing any more, although it should; ``arm`` mends that."""
        return self._observer is not None and not self._observer.is_alive()

    def _watch(self, directory: str) -> bool:
        try:
            status = os.stat(directory)
        except OSError:
            self._unwatch(directory)
            return False
        identity = (status.st_dev, status.st_ino)
        if directory in self._armed:
            watch, known = self._armed[directory]
            if known == identity and self._hears(watch):
                return False
            self._unwatch(directory)
        if len(self._armed) >= MOST_DIRECTORIES:
            self.refused[directory] = f"there are more than {MOST_DIRECTORIES} directories to watch"
            return False
        try:
            self._armed[directory] = (self._schedule(directory), identity)
        except OSError as error:
            self.refused[directory] = why_not_watched(error)
            return False
        return True

    def _schedule(self, directory: str) -> ObservedWatch:
        if self._observer is None:
            observer = self._make()
            observer.start()
            self._observer = observer
        return self._observer.schedule(_handler(self._heard), directory, recursive=False, event_filter=_kinds())

    def _hears(self, watch: ObservedWatch) -> bool:
        """Whether the thread behind a watch lives; it ends by itself when its directory is removed."""
        observer = self._observer
        return observer is not None and any(each.watch == watch and each.is_alive() for each in observer.emitters)

    def _unwatch(self, directory: str) -> None:
        watch, _ = self._armed.pop(directory, (None, None))
        if watch is not None and self._observer is not None:
            try:
                self._observer.unschedule(watch)
            except (KeyError, OSError):
                # It was let go with its directory.
                return

    def _drop_observer(self) -> None:
        observer, self._observer = self._observer, None
        self._armed = {}
        if observer is None:
            return
        observer.stop()
        if observer.ident is not None:
            observer.join(2.0)

    def _heard(self, event: FileSystemEvent) -> None:
        """On watchdog's thread: an exception here would end it."""
        for path in {event.src_path, event.dest_path}:
            if path:
                self._heard_of(os.fsdecode(path), event.event_type, is_directory=event.is_directory)

    def _heard_of(self, path: str, what: str, *, is_directory: bool) -> None:
        directory, name = os.path.split(path)
        entries: set[str] = set()
        here = self._plan.get(directory, {})
        if _matters(name, is_directory=is_directory):
            entries |= here.get(EVERY, set())
        entries |= here.get(name, set())
        if path in self._plan:
            # The watched directory itself: it is gone, or its permissions are others.
            entries |= self._plan[path].get(EVERY, set())
        if entries:
            self._tell(entries, what, path)


def _matters(name: str, *, is_directory: bool) -> bool:
    if name.startswith((".", "__pycache__", "~")) or name.endswith(_NOISE):
        return False
    # A link to a directory is reported as a file.
    return is_directory or name.endswith(".py") or "." not in name


def _system_observer() -> BaseObserver:
    import logging

    from watchdog.observers import Observer

    # It logs as an error that a directory is listened to no more while its thread ends: nothing for a terminal.
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    return Observer()


def _handler(heard: Callable[[FileSystemEvent], None]) -> Any:
    """A handler that survives itself. No pattern handler: those match nothing on some versions of watchdog."""
    import logging

    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            try:
                heard(event)
            except Exception:
                # Whatever it is, the thread that called must go on listening.
                logging.getLogger("topcook.watching").exception("an event could not be passed on: %r", event)

    return Handler()


def _kinds() -> list[type[FileSystemEvent]]:
    """What is listened for: not that a file was opened or read, which we do ourselves."""
    from watchdog import events

    kinds = [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.FileClosedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]
    # Newer versions of watchdog tell a change of permissions apart from one of the content.
    newer = (getattr(events, name, None) for name in ("FileAttribEvent", "DirAttribEvent"))
    return [*kinds, *filter(None, newer)]
