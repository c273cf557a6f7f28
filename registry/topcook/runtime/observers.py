"""Observers of a cook: a pluggy hook that each of them hears of, none of them able to hurt it."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from topcook.factory.hookboard import HookBoard, hookimpl, hookspec
from topcook.runtime.faults import stack_of

__all__ = ["CookHooks", "Observers", "hookimpl"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.items import Change
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem

#: It looks so many times within the time after which it speaks.
_LOOKS = 4
_log = logging.getLogger("topcook.observers")


class CookHooks:
    """The hooks of a cook. They are called on the cook thread, after what they tell has been recorded."""

    @hookspec
    def cook_started(self, cook: Any) -> None:
        """The cook begins: the static items exist or, in a large network, the first of them (``items_generated``)."""

    @hookspec
    def items_generated(self, cook: Any, node: Node, items: Sequence[WorkItem], more: bool) -> None:  # noqa: FBT001 - pluggy's
        """A node has made work items; ``more`` of the same call come next, where there are very many."""

    @hookspec
    def items_changed(self, cook: Any, changes: Sequence[Change]) -> None:
        """Items changed their PDG state: (item record, state before, state after, seconds since the epoch)."""

    @hookspec
    def cook_message(self, cook: Any, level: str, source: str, text: str) -> None:
        """Something worth telling: ``level`` is error, warning or info; ``source`` a scheduler's or node's name."""

    @hookspec
    def resource_count(self, name: str) -> int | None:
        """How many of a named resource of the network are to be had now (a licence server knows); ``None``: unknown.

        Asked every ten seconds, on a thread of its own; of several answers the smallest counts.
        """

    @hookspec
    def cook_finished(self, cook: Any, outcome: str) -> None:
        """Nothing more happens; ``outcome`` is cooked, failed, canceled or detached."""


class Observers(HookBoard):
    """The registered observers of one cook."""

    def __init__(self) -> None:
        """Start with nobody."""
        super().__init__(CookHooks)

    def watch(self, patience: float, over: threading.Event) -> None:
        """Say in the log which observer keeps the calling thread for ``patience`` seconds, until ``over``.

        A cook waits for whom it tells. Where there is nobody but our own nothing is watched.
        """
        foreign = any(not type(each).__module__.startswith("topcook.") for each in self.manager.get_plugins())
        if patience > 0 and foreign:
            told = threading.get_ident()
            threading.Thread(target=self._watch, args=(patience, over, told), name="topcook-watch", daemon=True).start()

    def _watch(self, patience: float, over: threading.Event, thread: int) -> None:
        known, due = None, patience
        while not over.wait(patience / _LOOKS):
            busy = self.busy_with
            if busy != known:
                known, due = busy, patience
            if busy is None:
                continue
            observer, hook, since = busy
            lasts = time.monotonic() - since
            if lasts >= due:
                due = 2 * lasts
                _log.warning(
                    'observer "%s" has been in %s for %.0f s, and the cook waits for it; it stands here:\n%s',
                    observer,
                    hook,
                    lasts,
                    stack_of(thread),
                )

    def ask_count(self, name: str) -> int | None:
        """The smallest answer to ``resource_count``; who raises is logged, and is asked again the next time."""
        counts = []
        for impl in list(self.manager.hook.resource_count.get_hookimpls()):
            try:
                counts.append(impl.function(*(name for _ in impl.argnames)))
            except Exception:  # noqa: BLE001 - an observer is author code, and a licence server may be away for a while
                _log.exception('observer "%s" raised in resource_count', impl.plugin_name)
        return min((count for count in counts if isinstance(count, int)), default=None)
