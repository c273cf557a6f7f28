"""Hot reload: a registry that follows its files while a process lives.

``live.py`` is the registry; ``watcher.py`` hears, ``poller.py`` looks, ``quiet.py`` waits for the end of a save,
``merge.py`` decides what serves. Nothing here is imported by a process that does not watch.
"""

from __future__ import annotations

from topcook.factory.watching.live import LiveFactory
from topcook.factory.watching.merge import Change
from topcook.factory.watching.places import Place

__all__ = ["Change", "LiveFactory", "Place"]
