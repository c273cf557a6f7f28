"""Waiting for saves of a few files: for who works on one file, and needs no registry."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Self

from topcook.factory.watching.places import places_of
from topcook.factory.watching.poller import Poller
from topcook.factory.watching.quiet import Quiet
from topcook.factory.watching.survey import Survey, plan_of, survey
from topcook.factory.watching.watcher import Watcher

__all__ = ["Saves"]


class Saves:
    """Tells when files or directories of types were saved; use it as a context manager.

    ``poll`` replaces the seconds between two looks at places that send no events.
    """

    def __init__(self, paths: Sequence[str], *, poll: float | None = None) -> None:
        """Prepare to listen to ``paths``, absolute."""
        self._paths = list(paths)
        self._quiet = Quiet()
        self._watcher = Watcher(self._heard)
        self._poller = Poller(self._differs)
        self._poll = poll
        self._state = threading.Condition()
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        """Listen."""
        self._arm()
        return self

    def __exit__(self, *error: object) -> None:
        """Listen no more."""
        self._poller.close()
        self._watcher.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until something was saved, and the save is over; False when nothing was within ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._state:
            while True:
                now = time.monotonic()
                due = self._quiet.due(now)
                if due == 0.0:
                    self._quiet.take()
                    break
                left = None if end is None else end - now
                if left is not None and left <= 0:
                    return False
                self._state.wait(min(each for each in (due, left, 1.0) if each is not None))
        # A directory may be another one of the same name now.
        self._arm()
        return True

    def _arm(self) -> None:
        surveys = [survey(path) for path in self._paths]
        places = places_of(surveys)
        self._watcher.arm(plan_of([each for each, place in zip(surveys, places, strict=True) if place.events]))
        places = [place.refused(self._watcher.refused) for place in places]
        self.notes = [place.note for place in places if place.note]
        for each in surveys:
            self._poller.seen(each)
        self._poller.watch({place.entry: self._poll or place.seconds for place in places})

    def _heard(self, entries: set[str], what: str, path: str) -> None:
        now = time.monotonic()
        with self._state:
            if what == "modified":
                self._quiet.written(path, now)
            else:
                self._quiet.closed(path)
            self._quiet.touch(entries, now)
            self._state.notify_all()

    def _differs(self, entry: str, _found: Survey) -> None:
        with self._state:
            self._quiet.touch({entry}, time.monotonic())
            self._state.notify_all()
