"""Observers of a cook: a pluggy hook that each of them hears of, none of them able to hurt it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from topcook.factory.hookboard import HookBoard, hookimpl, hookspec

__all__ = ["CookHooks", "Observers", "hookimpl"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.items import Change
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem

_log = logging.getLogger("topcook.observers")


class CookHooks:
    """The hooks of a cook. They are called on the cook thread, after what they tell has been recorded."""

    @hookspec
    def cook_started(self, cook: Any) -> None:
        """The cook begins: the static items exist or, in a large network, the first of them (``items_generated``)."""

    @hookspec
    def items_generated(self, cook: Any, node: Node, items: Sequence[WorkItem]) -> None:
        """A node has made work items."""

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
        """Nothing more happens; ``outcome`` is cooked, failed, canceled or interrupted."""


class Observers(HookBoard):
    """The registered observers of one cook."""

    def __init__(self) -> None:
        """Start with nobody."""
        super().__init__(CookHooks)

    def ask_count(self, name: str) -> int | None:
        """The smallest answer to ``resource_count``; who raises is logged, and is asked again the next time."""
        counts = []
        for impl in list(self.manager.hook.resource_count.get_hookimpls()):
            try:
                counts.append(impl.function(*(name for _ in impl.argnames)))
            except Exception:  # noqa: BLE001 - an observer is author code, and a licence server may be away for a while
                _log.exception('observer "%s" raised in resource_count', impl.plugin_name)
        return min((count for count in counts if isinstance(count, int)), default=None)
