"""Who hears of what happens: pluggy hooks that each listener is told of, none of them able to hurt who tells."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import pluggy

__all__ = ["HookBoard", "hookimpl", "hookspec"]

PROJECT = "topcook"
hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a listener's methods.
hookimpl = pluggy.HookimplMarker(PROJECT)

_log = logging.getLogger("topcook.observers")


class _Manager(pluggy.PluginManager):
    """Pluggy's own looks at every attribute of a listener for a mark, of which most are any object's."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """The mark of a method, which is none of Python's own."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)


class HookBoard:
    """Listeners of the hooks that one class specifies."""

    def __init__(self, specs: type) -> None:
        """Start with nobody."""
        self.manager: pluggy.PluginManager = _Manager(PROJECT)
        self.manager.add_hookspecs(specs)
        #: (listener, hook, since when by ``time.monotonic()``) while one is told.
        self.busy_with: tuple[str, str, float] | None = None

    def add(self, observer: object) -> None:
        """Let an object with methods marked ``hookimpl`` hear; raises what pluggy says of a wrong signature."""
        self.manager.register(observer)

    def tell(self, hook: str, **facts: Any) -> None:
        """Call every observer; one that raises is logged and dropped, everything else goes on."""
        caller = getattr(self.manager.hook, hook)
        for impl in caller.get_hookimpls():
            self.busy_with = impl.plugin_name, hook, monotonic()
            try:
                impl.function(*(facts[name] for name in impl.argnames))
            except BaseException:  # noqa: BLE001 - an observer is author code: whatever it raises, sys.exit too, is its affair
                _log.exception('observer "%s" raised in %s and hears no more', impl.plugin_name, hook)
                self.manager.unregister(impl.plugin)
        self.busy_with = None
