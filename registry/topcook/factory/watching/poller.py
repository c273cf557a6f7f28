"""Looking again and again: for network file systems, which send no events, and as a net below all others.

A change that nobody told of is not lost on a local disk either; it is found some seconds later, and it is said.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from topcook.factory.watching.survey import Survey, survey
from topcook.lean import dataclass

__all__ = ["LOCAL_SECONDS", "NETWORK_SECONDS", "Poller"]

#: Between two looks at an entry whose file system sends no events.
NETWORK_SECONDS = 5.0
#: Between two looks at one that does.
LOCAL_SECONDS = 10.0
#: Each pause is up to this much longer, so that a hundred views do not ask the server in step.
_JITTER = 0.25

_log = logging.getLogger("topcook.watching")


@dataclass(slots=True)
class _Watched:
    seconds: float
    due: float
    seen: Survey | None = None


class Poller:
    """Surveys entries on a thread of its own, because a server that hangs must not keep others from being heard.

    ``changed`` is called there with an entry that is not as it was, and with what is seen there now; ``beat`` after
    every look.
    """

    def __init__(self, changed: Callable[[str, Survey], None], *, beat: Callable[[], None] = lambda: None) -> None:
        """Look at nothing yet."""
        self._changed = changed
        self._beat = beat
        self._entries: dict[str, _Watched] = {}
        self._wake = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def watch(self, seconds: dict[str, float]) -> None:
        """Look at exactly these entries, each every so many seconds or a little later."""
        with self._wake:
            now = time.monotonic()
            known = self._entries
            self._entries = {}
            for entry, pause in seconds.items():
                kept = known.get(entry)
                if kept is None or kept.seconds != pause:
                    kept = _Watched(pause, now + _paused(pause), kept.seen if kept else None)
                self._entries[entry] = kept
            self._wake.notify()
        self.revive()

    def seen(self, found: Survey) -> None:
        """What somebody else has just seen of an entry: a change is one from there."""
        with self._wake:
            watched = self._entries.get(found.entry)
            if watched is not None:
                watched.seen = found

    def revive(self) -> None:
        """Start the thread, if there is something to look at and it does not run."""
        if self._entries and not self._closed and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="topcook-poller", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._closed or not self._entries:
                    return
                entry, watched = min(self._entries.items(), key=lambda each: each[1].due)
                wait = watched.due - time.monotonic()
                if wait > 0:
                    self._wake.wait(wait)
                    continue
                before = watched.seen
            self._look(entry, watched, before)

    def _look(self, entry: str, watched: _Watched, before: Survey | None) -> None:
        try:
            found = survey(entry)
        except Exception:  # noqa: BLE001 - the thread must live: the next look may go well
            _log.exception('"%s" could not be looked at', entry)
            found = None
        with self._wake:
            watched.due = time.monotonic() + _paused(watched.seconds)
            # Somebody else may have looked meanwhile, and acted on it.
            fresh = found is not None and found.error is None and watched.seen is before
            if fresh:
                watched.seen = found
        if fresh and found is not None and (before is None or found.differs(before)):
            self._changed(entry, found)
        self._beat()


def _paused(seconds: float) -> float:
    return seconds * (1 + random.random() * _JITTER)  # noqa: S311 - nothing is secret about a pause
