"""A factory that stays right while files change: the registry of long-lived processes.

Event -> quiet -> look again -> good? serves new instances : the last good version goes on, and it is said.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Self

from topcook.factory.watching.again import Looked, Touched, look_again
from topcook.factory.watching.merge import Change, merge
from topcook.factory.watching.places import Place, place_of
from topcook.factory.watching.poller import Poller
from topcook.factory.watching.probes import Probes
from topcook.factory.watching.quiet import Quiet
from topcook.factory.watching.survey import Survey, plan_of, survey
from topcook.factory.watching.watcher import Watcher

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

    from topcook.factory.menu import MenuRow
    from topcook.factory.records import Record
    from topcook.factory.scan import Factory
    from topcook.factory.sources import Candidate
    from topcook.factory.watching.observers import TypesObservers

__all__ = ["LiveFactory"]

#: A look that found directories nobody listened to is followed by another; these many in a row at most.
_MOST_LOOKS = 5

#: Seconds after which an event that told of a change would have come.
_LATE = 2.0
#: Stands for all entries.
_ALL = ""

_log = logging.getLogger("topcook.watching")
Heard = Callable[[Change], None]


class LiveFactory:
    """Keeps a factory's records as the files are, from ``start`` to ``close``; use it as a context manager.

    ``factory`` is changed in place and under its lock, so whoever asks it gets one state or the next, never a mixture.
    Callbacks come on the thread that watches: they shall hand over and return.
    """

    def __init__(
        self,
        factory: Factory,
        *,
        quiet: Quiet | None = None,
        poll: float | None = None,
        make_observer: Callable[[], BaseObserver] | None = None,
    ) -> None:
        """Prepare. ``poll`` replaces the seconds between two looks at a place, whether it sends events or not.

        ``make_observer`` gives the watchdog observer to listen with, not started yet; None is the system's own kind.
        """
        self.factory = factory
        self.quiet = quiet or Quiet()
        self.observers: TypesObservers | None = None
        self._watcher = Watcher(self._heard, make_observer)
        self._poller = Poller(self._differs, beat=self._revive)
        self._poll = poll
        self._places: list[Place] = []
        self._placed: dict[str, tuple[Survey, Place]] = {}
        #: Since when the version of each file serves: at first when it was written, then when it was found.
        self._found_at = {key: _written_at(candidate) for key, (candidate, _) in factory.candidates().items()}
        #: What the last walk of each entry saw, and the last that can be believed.
        self._walked: dict[str, Survey] = {}
        self._surveys: dict[str, Survey] = {}
        self._subscribers: list[Heard] = []
        self._notes: list[str] = []
        self._unusable: list[str] = []
        #: Entries in which something has changed without an event, and when each was last heard of.
        self._deaf: set[str] = set()
        self._heard_at: dict[str, float] = {}
        #: Guards what threads share here; held for no longer than a line.
        self._state = threading.Condition()
        #: One look at a time.
        self._looking = threading.RLock()
        self._probes = Probes(factory, self._state, self.quiet.due)
        self._closed = False
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Listen, and look once: what changed since the factory's scan is found now."""
        self.factory.keeps_workers = True
        self._begin()
        self.look()

    def close(self) -> None:
        """Listen no more; the factory keeps what it has."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        self._probes.close()
        self._poller.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)
        self._thread = None
        self._watcher.close()
        self.factory.keeps_workers = False
        self.factory.rest()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self.close()

    # ------------------------------------------------------------------ what is asked of it

    def rows(self, types: str = "all", *, show_all: bool = False) -> list[MenuRow]:
        """The rows of the menu as they are now."""
        from topcook.factory.menu import menu_rows

        return menu_rows(self.records(), types, show_all=show_all)

    def records(self) -> list[Record]:
        """The records as they are now, a list of the caller's own."""
        return list(self.factory.records)

    def places(self) -> list[Place]:
        """How each entry of the types path is watched, and why."""
        return list(self._places)

    def notes(self) -> list[str]:
        """What a person has to know about the watching: what is polled, what cannot be watched, what died."""
        return list(self._notes)

    def subscribe(self, heard: Heard) -> Callable[[], None]:
        """Call ``heard`` with every change from now on; returns what ends that."""
        with self._state:
            self._subscribers.append(heard)

        def end() -> None:
            with self._state:
                self._subscribers = [each for each in self._subscribers if each is not heard]

        return end

    def observe(self, observer: object) -> None:
        """Let a pluggy observer hear of what happens (see ``TypesHooks``)."""
        if self.observers is None:
            from topcook.factory.watching.observers import TypesObservers

            self.observers = TypesObservers()
        self.observers.add(observer)

    def wait(self, fulfilled: Callable[[], bool], timeout: float) -> bool:
        """Wait until a condition on the registry holds; it is asked again after every look. False when in vain."""
        with self._state:
            return self._state.wait_for(fulfilled, timeout)

    # ------------------------------------------------------------------ looking

    def look(self, entries: Collection[str] | None = None) -> Change:
        """Look now, on the calling thread, at some entries or at the whole path; returns what was found to differ.

        From ``start`` to ``close`` a file that takes long is taken in when it is probed; else it is waited for.
        """
        with self._looking:
            change = Change()
            for _ in range(_MOST_LOOKS):
                surveys = [self._walk(path, entries) for path in self.factory.search_path()]
                fresh = self._arm(surveys)
                touched = Touched.between([self._surveys.get(each.entry) for each in surveys], surveys)
                found = self._take_over(touched)
                self._walked = {each.entry: each for each in surveys}
                self._surveys |= {each.entry: each for each in surveys if each.error is None}
                change = found or change
                self._settle(found)
                if not fresh:
                    break
            return change

    def _walk(self, entry: str, entries: Collection[str] | None) -> Survey:
        """What there is of an entry; of one that was not touched, what there was: its server may hang just now."""
        known = self._walked.get(entry)
        return survey(entry) if known is None or entries is None or entry in entries else known

    def _take_over(self, touched: Touched) -> Change:
        """Find what there is, and let it hold."""
        if not touched.entries:
            return Change()
        return self._hold(look_again(self.factory, touched, self._probes, patient=self._thread is None))

    def _take_in(self) -> None:
        """Let hold what was probed for long, as far as its file is still the one that was probed."""
        with self._looking:
            came = self._probes.fetch()
            looked = self.factory.candidates()
            for file, (candidate, records) in came.items():
                if file in looked and looked[file][0].stamp == candidate.stamp:
                    looked[file] = candidate, records
            self._settle(self._hold(looked))

    def _hold(self, looked: Looked) -> Change:
        at = time.time()
        before = {file: records for file, (_, records) in self.factory.candidates().items()}
        held, change = merge(before, {file: records for file, (_, records) in looked.items()}, self._found_at, at)
        for file, records in held.items():
            if records is not before.get(file) and not (records and records[0].edit):
                self._found_at[file] = at
        self.factory.take_over(
            # What somebody else has found out meanwhile of a file that is as it was, holds.
            (candidate, held[file] if records is not before.get(file) else None)
            for file, (candidate, records) in looked.items()
        )
        return change

    def _arm(self, surveys: list[Survey]) -> bool:
        """Listen to the directories that there are; whether some of them are new to us."""
        deaths = self._watcher.deaths
        self._places = [self._place(each) for each in surveys]
        fresh = self._watcher.arm(
            plan_of([each for each, place in zip(surveys, self._places, strict=True) if place.events])
        )
        self._places = [place.refused(self._watcher.refused).without_events(self._deaf) for place in self._places]
        for each in surveys:
            self._poller.seen(each)
        self._poller.watch({place.entry: self._poll or place.seconds for place in self._places})
        if self._watcher.deaths > deaths:
            _log.warning("the watcher of the types path had died; a new one listens")
        self._tell_notes()
        return fresh

    def _place(self, found: Survey) -> Place:
        """How an entry is watched; asked of the system again when the entry was walked again."""
        known = self._placed.get(found.entry)
        if known is None or known[0] is not found:
            known = self._placed[found.entry] = (found, place_of(found))
        return known[1]

    def _settle(self, change: Change) -> None:
        """Tell of a change, and wake who waits for one."""
        with self._state:
            self._state.notify_all()
            heard = list(self._subscribers) if change else []
        for each in heard:
            try:
                each(change)
            except Exception:  # noqa: BLE001 - one who listens badly must not keep others from hearing
                _log.exception("a subscriber raised and hears no more")
                with self._state:
                    self._subscribers = [other for other in self._subscribers if other is not each]
        if change and self.observers is not None:
            self._tell_observers(self.observers, change)

    def _tell_observers(self, observers: TypesObservers, change: Change) -> None:
        changed = (*change.changed, *change.mended)
        if change.added or changed or change.removed:
            observers.tell("types_changed", added=change.added, changed=changed, removed=change.removed)
        for record in change.failed:
            problems = record.edit.problems if record.edit is not None else record.problems
            observers.tell("type_failed", record=record, path=record.origin.path, problems=problems)
        for record in change.removed:
            observers.tell("type_removed", record=record)

    def _tell_notes(self) -> None:
        notes = [*(note for place in self._places if (note := place.note)), *self._unusable]
        if notes != self._notes:
            with self._state:
                self._notes = notes
                self._state.notify_all()
            if self.observers is not None:
                self.observers.tell("watching_changed", notes=notes)

    # ------------------------------------------------------------------ hearing

    def _heard(self, entries: set[str], what: str, path: str) -> None:
        """On watchdog's thread: something happened below these entries."""
        now = time.monotonic()
        with self._state:
            if what == "modified":
                self.quiet.written(path, now)
            else:
                self.quiet.closed(path)
            self.quiet.touch(entries, now)
            self._deaf -= entries
            self._heard_at |= dict.fromkeys(entries, now)
            self._state.notify_all()

    def _differs(self, entry: str, _found: Survey) -> None:
        """On the poller's thread: an entry is not as it was, and nobody has looked at it since."""
        now = time.monotonic()
        with self._state:
            if now - self._heard_at.get(entry, -_LATE) >= _LATE:
                self._deaf.add(entry)
            self.quiet.touch({entry}, now)
            self._state.notify_all()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="topcook-types", daemon=True)
        self._thread.start()

    def _revive(self) -> None:
        """On the poller's thread, now and then: whoever died is replaced."""
        if self._closed:
            return
        if self._thread is not None and not self._thread.is_alive():
            _log.error("the thread that watches the types path had died; a new one watches")
            self._begin()
        if self._watcher.is_dead():
            self._differs(_ALL, Survey(_ALL))

    def _run(self) -> None:
        self._safely(self.factory.warm)
        self._safely(self._load_observers)
        while (touched := self._touched()) is not None:
            if self._probes.came:
                self._safely(self._take_in)
            if touched:
                self._safely(partial(self.look, None if _ALL in touched else touched))

    def _load_observers(self) -> None:
        """Add the observers that are installed."""
        from topcook.factory.watching.observers import installed_observers

        found, self._unusable = installed_observers()
        for each in found:
            self.observe(each)
        self._tell_notes()

    @staticmethod
    def _safely(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - a mistake of ours must not leave the registry as it is for ever
            _log.exception("the types path could not be looked at")

    def _touched(self) -> set[str] | None:
        """Sleep until something was touched and has come to rest, or was probed at last; None at the end."""
        with self._state:
            while not self._closed:
                wait = self.quiet.due(time.monotonic())
                if wait == 0.0:
                    return self.quiet.take()
                if self._probes.came:
                    return set()
                self._state.wait(wait)
            return None


def _written_at(candidate: Candidate) -> float:
    return candidate.stamp.mtime_ns / 1e9 if candidate.stamp is not None else time.time()
