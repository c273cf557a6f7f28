"""Probing that keeps nobody waiting: what is not back soon goes on behind the scenes, and is taken in when it comes.

A file may sleep, wait for a server or never end; the files beside it have nothing to do with that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from topcook.factory.slots import Key, key_of
from topcook.factory.watching.again import Touched, concerns
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.factory.records import Record
    from topcook.factory.scan import Factory
    from topcook.factory.sources import Candidate

__all__ = ["Probes"]

#: Seconds for which a look waits for its probes.
PATIENCE = 0.3
#: Seconds after which another worker is made ready, so that the next file need not wait for one to start.
_TAKEN = 0.1
#: Seconds for which what has come waits for what has not: good files that were saved with a slow one.
_LULL = 0.03

_log = logging.getLogger("topcook.watching")


@dataclass(slots=True)
class _Probe:
    """A candidate that is being probed, what was saved meanwhile, and what came of it."""

    candidate: Candidate
    touched: Touched = field(default_factory=Touched)
    records: list[Record] | None = None


class Probes:
    """The probes of one live registry, at most one of each file that still counts: the latest.

    ``state`` guards what is kept here, and is notified when something comes; ``due`` says, given the monotonic time, in
    how many seconds there is something else to look at, None for nothing.
    """

    def __init__(self, factory: Factory, state: threading.Condition, due: Callable[[float], float | None]) -> None:
        """Probe nothing yet."""
        self._factory = factory
        self._state = state
        self._due = due
        self._probes: dict[Key, _Probe] = {}
        self._last = 0.0
        self._closed = False

    def close(self) -> None:
        """Wait for nothing any more, and take nothing in."""
        with self._state:
            self._closed = True
            self._probes.clear()
            self._state.notify_all()

    @property
    def came(self) -> bool:
        """Whether something has come that was not fetched."""
        with self._state:
            return any(each.records is not None for each in self._probes.values())

    def heard(self, touched: Touched) -> None:
        """Something was saved while others are being probed: they may have read it as it was before."""
        with self._state:
            for each in self._probes.values():
                each.touched.paths |= touched.paths
                each.touched.modules |= touched.modules

    def drop(self, keys: Iterable[Key]) -> None:
        """These files are others now: what is still found out about them is not true any more."""
        with self._state:
            for key in keys:
                self._probes.pop(key, None)

    def probed(self, candidates: Sequence[Candidate], *, patient: bool) -> dict[int, list[Record]]:
        """The records of candidates by their ``id``, as far as they come soon; of a ``patient`` caller, all.

        In this very process a probe cannot be left to itself, with what it does to our output: it is waited for.
        """
        found: dict[int, list[Record]] = {}
        if not candidates:
            return found
        if patient or self._factory.in_process:
            self._factory.probe(candidates, lambda each, records: found.update({id(each): records}))
            return found
        self._begin(candidates)
        keys = {key_of(each) for each in candidates}
        if not self._wait(keys, _TAKEN) and not self._closed:
            self._factory.warm()
            self._wait(keys, PATIENCE - _TAKEN)
        return {id(candidate): records for candidate, records in self._take(keys).values()}

    def fetch(self) -> dict[Key, tuple[Candidate, list[Record]]]:
        """What has come since. What read a file that was saved meanwhile is probed again."""
        with self._state:
            touched = {key: each.touched for key, each in self._probes.items()}
            came = self._take(touched)
        old = {
            key: candidate for key, (candidate, records) in came.items() if concerns(touched[key], candidate, records)
        }
        self._begin(list(old.values()))
        return {key: each for key, each in came.items() if key not in old}

    def _begin(self, candidates: Sequence[Candidate]) -> None:
        if not candidates:
            return
        with self._state:
            if self._closed:
                return
            begun = {key_of(each): _Probe(each) for each in candidates}
            self._probes |= begun
        threading.Thread(target=self._work, args=(begun,), name="topcook-probe", daemon=True).start()

    def _wait(self, keys: set[Key], patience: float) -> bool:
        """Wait until all have come, some have and nothing more does, or there is something else to look at."""
        end = time.monotonic() + patience
        with self._state:
            while not self._closed:
                now = time.monotonic()
                waiting = {key for key in keys if key in self._probes and self._probes[key].records is None}
                until = end if waiting == keys else min(end, self._last + _LULL)
                due = self._due(now)
                if not waiting or now >= until or due == 0.0:
                    return not waiting
                self._state.wait(until - now if due is None else min(until - now, due))
            return False

    def _take(self, keys: Iterable[Key]) -> dict[Key, tuple[Candidate, list[Record]]]:
        """What has come of these; it is not kept any longer."""
        with self._state:
            here = {key: self._probes[key] for key in keys if key in self._probes}
            came = {key: (each.candidate, each.records) for key, each in here.items() if each.records is not None}
            self.drop(came)
            return came

    def _work(self, begun: dict[Key, _Probe]) -> None:
        def done(candidate: Candidate, records: list[Record]) -> None:
            key = key_of(candidate)
            with self._state:
                if self._counts(key, begun[key]):
                    begun[key].records = records
                    self._last = time.monotonic()
                    self._state.notify_all()

        try:
            self._factory.probe([each.candidate for each in begun.values()], done)
        except Exception:  # noqa: BLE001 - a mistake of ours; the files are probed again when they are saved again
            _log.exception("%d files could not be probed", len(begun))
        finally:
            with self._state:
                self.drop([key for key, each in begun.items() if each.records is None and self._counts(key, each)])
                self._state.notify_all()

    def _counts(self, key: Key, probe: _Probe) -> bool:
        """Whether this very probe is the one that counts: the same candidate may be probed anew."""
        return self._probes.get(key) is probe
