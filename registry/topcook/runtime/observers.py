"""Observers of a cook: a pluggy hook that each of them hears of, none of them able to hurt it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.items import Change
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem

PROJECT = "topcook"
hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks an observer's methods: ``@topcook.runtime.observers.hookimpl``.
hookimpl = pluggy.HookimplMarker(PROJECT)

_log = logging.getLogger("topcook.observers")


class CookHooks:
    """The hooks of a cook. All are called on the cook thread, after what they tell has been recorded."""

    @hookspec
    def cook_started(self, cook: Any) -> None:
        """The static items exist and the cook begins."""

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
    def cook_finished(self, cook: Any, outcome: str) -> None:
        """Nothing more happens; ``outcome`` is cooked, failed, canceled or interrupted."""


class Observers:
    """The registered observers of one cook."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(CookHooks)

    def add(self, observer: object) -> None:
        """Let an object with methods marked ``hookimpl`` hear of the cook."""
        self.manager.register(observer)

    def tell(self, hook: str, **facts: Any) -> None:
        """Call every observer; one that raises is logged and dropped, the cook goes on."""
        caller = getattr(self.manager.hook, hook)
        for impl in list(caller.get_hookimpls()):
            try:
                impl.function(*(facts[name] for name in impl.argnames))
            except BaseException:  # noqa: BLE001 - an observer is author code: whatever it raises, sys.exit too, is its affair
                _log.exception('observer "%s" raised in %s and hears no more', impl.plugin_name, hook)
                self.manager.unregister(impl.plugin)
