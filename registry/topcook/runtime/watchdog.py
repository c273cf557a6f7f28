"""Says where author code stands that does not come back: callbacks, nodes that make items, functions of items."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from topcook.lean import NamedTuple
from topcook.model.states import WorkItemState
from topcook.runtime.children import children_of
from topcook.runtime.faults import stack_of
from topcook.runtime.link import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.runtime.generation import Generator
    from topcook.runtime.graph import Graph
    from topcook.runtime.host import Host

__all__ = ["Watchdog"]

#: It looks so many times within the time after which it speaks.
_LOOKS = 4


class _Busy(NamedTuple):
    """Author code under way, ``since`` when by ``time.monotonic()``; ``source`` is whom its messages are from."""

    source: str
    what: str
    since: float
    thread: int | None
    native_thread: int | None
    host: Host | None


class Watchdog:
    """Looks now and again; what it has told it tells again after twice the time."""

    def __init__(self, graph: Graph, generator: Generator | None = None) -> None:
        """Watch the schedulers of ``graph`` and, where there is one, what makes its items."""
        self._graph = graph
        self._generator = generator
        self._patience = float(graph.config.watchdog)
        self._next = time.monotonic() + self._patience / _LOOKS
        #: How long each has to take before it is told (again).
        self._due: dict[tuple[str, str, float], float] = {}

    @property
    def _on(self) -> bool:
        # Who debugs is in the callback that takes so long.
        return self._patience > 0 and not self._graph.debug

    def timeout(self) -> float | None:
        """Seconds until it looks again, ``None`` when it never does."""
        return max(0.0, self._next - time.monotonic()) if self._on else None

    def look(self) -> list[Message]:
        """What is to be said, when it is time."""
        now = time.monotonic()
        if now < self._next or not self._on:
            return []
        self._next = now + self._patience / _LOOKS
        messages, due = [], {}
        for busy in self._busy():
            key, lasts = (busy.source, busy.what, busy.since), now - busy.since
            due[key] = self._due.get(key, self._patience)
            if lasts >= due[key]:
                due[key] = 2 * lasts
                messages.append(_message(busy, lasts))
        self._due = due
        return messages

    def _busy(self) -> Iterator[_Busy]:
        for host in self._graph.hosts():
            busy = host.busy_with
            if busy is not None:
                callback, item, since = busy
                what = f"{callback} for {item.name}" if item is not None else callback
                yield _Busy(host.name, what, since, host.thread_id, host.native_id, host)
            for run in list(host.function_runs):
                item, attempt, since = run.running
                if item is not None and item.state is WorkItemState.Cooking and item.attempt == attempt:
                    yield _Busy(host.name, f"the function of {item.name}", since, run.thread, run.native_thread, host)
        if self._generator is not None and self._generator.busy_with is not None:
            node, since = self._generator.busy_with
            yield _Busy(node, "making its items", since, self._generator.thread_id, None, None)


def _message(busy: _Busy, lasts: float) -> Message:
    whose = f'scheduler "{busy.source}"' if busy.host is not None else f'node "{busy.source}"'
    said = f"{whose} has been in {busy.what} for {lasts:.0f} s"
    started = children_of(busy.native_thread)
    if started:
        # It blocks on a job, as onSchedule of Save To Python does: that is its way.
        return Message("info", busy.source, f"{said}; it waits for what it has started: {', '.join(started)}")
    said = f"{said}, and stands here:\n{stack_of(busy.thread)}"
    if busy.host is not None:
        busy.host.log(said)
    return Message("warning", busy.source, said)
