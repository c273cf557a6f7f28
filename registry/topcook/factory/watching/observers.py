"""Observers of the registry: pluggy hooks that hear of types that come, change, break and go.

An installed distribution brings one by an entry point of group ``topcook.types_observers``, a program by
``LiveFactory.observe``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from topcook.factory.hookboard import HookBoard, hookimpl, hookspec

if TYPE_CHECKING:
    from topcook.factory.records import Record

__all__ = ["OBSERVER_GROUP", "TypesHooks", "TypesObservers", "hookimpl", "installed_observers"]

#: Entry points of this group are observers: objects, or classes that are called without arguments.
OBSERVER_GROUP = "topcook.types_observers"

_log = logging.getLogger("topcook.observers")


class TypesHooks:
    """The hooks of a live registry. All are called on the thread that watches, after the registry has changed."""

    @hookspec
    def types_changed(self, added: Sequence[Record], changed: Sequence[Record], removed: Sequence[Record]) -> None:
        """The registry is another: types that are new, that serve in a new version, and that are gone."""

    @hookspec
    def type_failed(self, record: Record, path: str, problems: Sequence[Any]) -> None:
        """The file of a type is broken now. ``record`` still serves, in its last good version, or gives no type."""

    @hookspec
    def type_removed(self, record: Record) -> None:
        """A type is gone; cooks that began with it keep it."""

    @hookspec
    def watching_changed(self, notes: Sequence[str]) -> None:
        """How the types path is watched, as far as a person has to know: what is polled, and why."""


class TypesObservers(HookBoard):
    """The observers of one live registry."""

    def __init__(self) -> None:
        """Start with nobody."""
        super().__init__(TypesHooks)


def installed_observers() -> tuple[list[object], list[str]]:
    """The observers of installed distributions, and what is wrong with those that cannot be used."""
    from importlib_metadata import entry_points

    found: list[object] = []
    wrong: list[str] = []
    for entry in entry_points(group=OBSERVER_GROUP):
        try:
            loaded = entry.load()
            found.append(loaded() if isinstance(loaded, type) else loaded)
        except BaseException as error:  # noqa: BLE001 - an observer is author code; whatever it raises, types are found
            wrong.append(f'the types observer "{entry.name}" ({entry.value}) cannot be used: {type(error).__name__}')
            _log.exception("%s", wrong[-1])
    return found, wrong
