"""Hot reload: a registry that follows its files while a process lives.

``live.py`` is the registry; ``watcher.py`` hears, ``poller.py`` looks, ``quiet.py`` waits for the end of a save,
``probes.py`` executes and keeps nobody waiting, ``merge.py`` decides what serves. Nothing here is imported by a process
that does not watch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topcook.factory.watching.live import LiveFactory
    from topcook.factory.watching.merge import Change
    from topcook.factory.watching.places import Place

__all__ = ["Change", "LiveFactory", "Place"]

_HOMES = {"Change": "merge", "LiveFactory": "live", "Place": "places"}


def __getattr__(name: str) -> Any:
    """What is imported from here, loaded when it is asked for: a walk of the types path needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
