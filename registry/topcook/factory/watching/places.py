"""How each entry of the types path is watched, and what a person has to know about it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from topcook.factory.filesystems import file_system
from topcook.factory.watching.poller import LOCAL_SECONDS, NETWORK_SECONDS
from topcook.factory.watching.survey import Survey

__all__ = ["Place", "place_of", "places_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """One entry: whether the system tells of changes in it, else why it does not and how often it is looked at.

    ``directories`` are those that are listened to for it.
    """

    entry: str
    directories: tuple[str, ...]
    events: bool
    seconds: float
    why: str = ""
    missing: bool = False

    @property
    def kind(self) -> str:
        """``events`` or ``polling``."""
        return "events" if self.events else "polling"

    @property
    def note(self) -> str:
        """What to tell of it; empty when all is as one would expect."""
        return "" if self.events else f"{self.entry}: looked at every {self.seconds:g} s, because {self.why}"

    def refused(self, reasons: Mapping[str, str]) -> Place:
        """This place, polled if one of its directories could not be listened to."""
        why = next((reasons[each] for each in self.directories if each in reasons), "")
        return replace(self, events=False, seconds=NETWORK_SECONDS, why=why) if why else self

    def without_events(self, deaf: Collection[str]) -> Place:
        """This place, looked at more often if something changed there of which no event told."""
        if not self.events or self.entry not in deaf:
            return self
        return replace(self, events=False, seconds=NETWORK_SECONDS, why="something changed there without an event")


def places_of(surveys: Iterable[Survey]) -> list[Place]:
    """How to watch what was surveyed."""
    return [place_of(each) for each in surveys]


def place_of(found: Survey) -> Place:
    """How to watch one entry."""
    directories = tuple(os.path.realpath(each) for each in found.directories)
    why = _why_polled(found.entry)
    if found.error is not None:
        why = f"it cannot be read just now: {found.error.strerror or found.error}"
    return Place(found.entry, directories, not why, NETWORK_SECONDS if why else LOCAL_SECONDS, why, not found.files)


def _why_polled(entry: str) -> str:
    """Why the system tells of no changes there; empty when it does."""
    found = file_system(entry)
    return f"it lies on a network file system ({found.kind}), which tells nobody of changes" if found.network else ""
