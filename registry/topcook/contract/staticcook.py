"""``StaticCookMixin``: takes the static items in one piece, and schedules each when what it waits for has cooked."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from topcook.contract.scheduler_notify import item_key
from topcook.model.enums import ScheduleResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topcook.contract.static_graph import Graph
    from topcook.contract.workitem import WorkItem

_REFUSED = frozenset({ScheduleResult.Failed, ScheduleResult.CookFailed})


class _Bookkeeping:
    """Which items wait for how many others, and which may go now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: dict[int, set[int]] = {}
        self.dependents: dict[int, list[int]] = {}
        self.items: dict[int, WorkItem] = {}
        self.ids: dict[str, int] = {}
        self.ready: deque[int] = deque()
        self.flying: set[int] = set()
        self.ticking = False
        self.thread = threading.get_ident()

    def load(self, dependencies: Graph, dependents: Graph, ready: Iterable[WorkItem]) -> None:
        """Take the three maps of ``onScheduleStatic``."""
        with self.lock:
            self.thread = threading.get_ident()
            for item in [*dependencies, *dependents, *ready]:
                self.items[item.id] = item
                self.ids[item.name] = item.id
            self.waiting = {key: {other.id for other in dependencies.get(item, ())} for key, item in self.items.items()}
            self.dependents = {
                item.id: [other.id for other in dependents.get(item, ())] for item in self.items.values()
            }
            self.ready = deque(item.id for item in ready)
            self.flying = set()

    def completed(self, item: int | str) -> None:
        """An item has ended well: those that waited only for it may go."""
        with self.lock:
            key = self.ids.get(item) if isinstance(item, str) else item
            if key is None:
                return
            self.flying.discard(key)
            for other in self.dependents.pop(key, ()):
                self.waiting[other].discard(key)
                if not self.waiting[other]:
                    self.ready.append(other)

    def take(self) -> WorkItem | None:
        """The next item that may go."""
        with self.lock:
            if not self.ready:
                return None
            self.flying.add(self.ready[0])
            return self.items[self.ready.popleft()]

    def sweep(self) -> None:
        """Note what has ended well without this scheduler having been told: jobs report to the cook's server."""
        with self.lock:
            done = [key for key in self.flying if self.items[key].isSuccessful]
        for key in done:
            self.completed(key)

    def put_back(self, item: WorkItem) -> None:
        """It could not be taken now: next time first."""
        with self.lock:
            self.flying.discard(item.id)
            self.ready.appendleft(item.id)

    def is_ready(self, item: int | str) -> int:
        """1 when nothing is waited for, else 0; unknown items are not ready."""
        with self.lock:
            key = self.ids.get(item) if isinstance(item, str) else item
            return int(key in self.waiting and not self.waiting[key]) if key is not None else 0


class StaticCookMixin:
    """Dependency bookkeeping for a scheduler that is handed all static items at once.

    ``onScheduleStatic`` takes them; each success frees what waited for it, and every freed item goes through the
    scheduler's own ``onSchedule``, at once and again on every tick while that answers Deferred. Callbacks never
    overlap: a success told from another thread than the scheduler's asks for a task, and the item goes with it.
    Mixed in before ``PyScheduler``; works without ``__init__`` having run.
    """

    _topcook_static: _Bookkeeping | None = None
    onSchedule: Any
    requestTask: Any
    onWorkItemFailed: Any
    onWorkItemCanceled: Any

    def __init__(self, *link: Any) -> None:
        """Start with nothing to do; what a class without an ``__init__`` of its own is made with is passed on."""
        self._topcook_static = _Bookkeeping()
        if link:
            super().__init__(*link)

    def static_onStartCook(self) -> None:
        """Forget the last cook."""
        self._topcook_static = _Bookkeeping()

    def static_loadDependencies(self, deps: Mapping[Any, Any], dependents: Mapping[Any, Any], ready: Any) -> None:
        """Take the maps of ``onScheduleStatic``."""
        self._topcook_books().load(dict(deps), dict(dependents), list(ready))

    def static_tick(self) -> int:
        """Schedule what may go; how many were taken. Ends early when the scheduler defers."""
        books = self._topcook_books()
        taken = 0
        # What onSchedule frees by an immediate success is picked up by the loop that called it.
        if books.ticking:
            return taken
        books.ticking = True
        books.sweep()
        try:
            while (item := books.take()) is not None:
                result = self._topcook_schedule(item)
                if result in (ScheduleResult.Deferred, ScheduleResult.FullDeferred):
                    books.put_back(item)
                    break
                taken += 1
                self._topcook_settle(item, result)
        finally:
            books.ticking = False
        return taken

    def static_completed(self, name: Any, index: int = -1) -> None:
        """An item has ended well."""
        self._topcook_books().completed(item_key("static_completed", name))

    def static_isWorkItemReady(self, name: Any, index: int = -1) -> int:
        """Whether an item waits for nothing any more: 1, else 0."""
        return self._topcook_books().is_ready(item_key("static_isWorkItemReady", name))

    def onScheduleStatic(self, dependencies: Any, dependents: Any, ready_items: Any) -> None:
        """Take the static items, and schedule those that wait for nothing."""
        self.static_loadDependencies(dependencies, dependents, ready_items)
        self.static_tick()

    def onWorkItemSucceeded(self, *args: Any, **kwargs: Any) -> None:
        """Report it, and schedule what waited for it."""
        super().onWorkItemSucceeded(*args, **kwargs)  # type: ignore[misc]
        named = (
            args[0]
            if args
            else next(
                (kwargs[name] for name in ("workitem_id", "name", "item_name", "item_id") if name in kwargs), None
            )
        )
        index = args[1] if len(args) > 1 else kwargs.get("index", -1)
        if named is not None and index in (-1, None):
            self.static_completed(named)
            if threading.get_ident() == self._topcook_books().thread:
                self.static_tick()
            else:
                self.requestTask()

    def onTick(self) -> Any:
        """Offer again what was deferred, then tick."""
        self.static_tick()
        return super().onTick()  # type: ignore[misc]

    def _topcook_schedule(self, item: WorkItem) -> Any:
        """What ``onSchedule`` answers; an item for which it raises fails, or it would be held for ever."""
        try:
            return self.onSchedule(item)
        except BaseException:
            # Author code: sys.exit in it strands the item as much as any error.
            self.onWorkItemFailed(item.id, -1)
            raise

    def _topcook_books(self) -> _Bookkeeping:
        if self._topcook_static is None:
            self._topcook_static = _Bookkeeping()
        return self._topcook_static

    def _topcook_settle(self, item: WorkItem, result: Any) -> None:
        """Tell the cook what ``onSchedule`` answered at once, as it would read the answer itself."""
        if result is ScheduleResult.CookSucceeded:
            self.onWorkItemSucceeded(item.id, -1, 0.0)
        elif result is False or result in _REFUSED:
            self.onWorkItemFailed(item.id, -1)
        elif result is ScheduleResult.CookCanceled:
            self.onWorkItemCanceled(item.id, -1)
