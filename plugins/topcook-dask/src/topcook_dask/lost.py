"""Jobs that Dask does not know any more, though nobody has heard their end: it was restarted."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from topcook.author.farm import Ends, FarmPhase, FarmState, Reconciler, tick_soon

__all__ = ["Lost"]

#: A job is sent again so many times.
_SENT_AGAIN = 3


class Lost:
    """Sends such jobs again, under the same attempt, where they have left no end ``after`` so many seconds.

    As Dask itself does with tasks whose worker has died; it is the cook that remembers when Dask cannot.
    """

    def __init__(
        self,
        scheduler: Any,
        reconciler: Reconciler,
        after: float,
        send: Callable[[Any], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is lost."""
        self._scheduler = scheduler
        self._reconciler = reconciler
        self._ends = Ends(scheduler)
        self._after = after
        self._send = send
        self._clock = clock
        self._since: dict[str, float] = {}
        self._again: dict[str, int] = {}
        self._restarted: set[str] = set()

    def note(self, keys: Sequence[str], states: dict[str, FarmState], restarted: Collection[str] = ()) -> None:
        """Note those of which Dask said nothing, and have them waited for; not those whose workers were restarted."""
        unknown = [key for key in keys if key not in states]
        tokens = {flight.engine_id: flight.token for flight in self._reconciler.in_flight} if unknown else {}
        now, since = self._clock(), {}
        for key in unknown:
            token = tokens.get(key)
            if token is not None and self._again.get(token, 0) < _SENT_AGAIN:
                since[key] = now - self._after if key in restarted else self._since.get(key, now)
                states[key] = FarmState(FarmPhase.QUEUED)
        if since.keys() - self._since.keys():
            tick_soon(self._scheduler, 0.0 if restarted else self._after)
        self._since = since
        self._restarted = since.keys() & set(restarted)

    def send_again(self) -> None:
        """Send what is due."""
        due = self._clock() - self._after
        late = {key for key, since in self._since.items() if since <= due}
        if not late:
            return
        self._since = {key: since for key, since in self._since.items() if key not in late}
        flights = [flight for flight in self._reconciler.in_flight if flight.engine_id in late]
        flights = [flight for flight in flights if not self._has_ended(flight.token)]
        if flights:
            why = (
                "somebody has restarted Dask's workers"
                if late & self._restarted
                else "Dask does not know them any more"
            )
            self._scheduler.cookWarning(f"{len(flights)} tasks are submitted again: {why}")
        for flight in flights:
            self._again[flight.token] = self._again.get(flight.token, 0) + 1
            self._send(flight.work_item)

    def _has_ended(self, token: str) -> bool:
        ending = self._ends.read(token)
        return ending is not None and ending.final
