"""The seam between the factory and whoever executes types files for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from topcook.factory.sources import Candidate
    from topcook.factory.typeregistry import TypeRegistry
    from topcook.factory.wire import ProbeReport

__all__ = ["Done", "InProcessProber", "Prober"]

#: Is given each candidate with its report, on the thread that called ``probe``.
Done = Callable[["Candidate", "ProbeReport"], None]


class Prober(Protocol):
    """Executes candidates and reports what came of it; whatever they do becomes part of a report."""

    def probe(self, candidates: Sequence[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        """Give each candidate's report to ``done`` as it arrives; returns those that were not finished in time.

        ``deadline`` is in seconds of ``time.monotonic()``; None is as long as it takes.
        """

    def close(self) -> None:
        """End all that was started for it."""


class InProcessProber:
    """Executes candidates in this process and keeps their classes: for tests, and for code that is trusted.

    What a file does to its process it does to ours here; only what it raises is kept in its record.
    """

    def __init__(self, registry: TypeRegistry) -> None:
        """Probe for one registry: what ``pdg.TypeRegistry.types()`` gives while a file is executed."""
        from topcook.factory.hooks import TypesHook

        self._registry = registry
        self._hook = TypesHook(registry)

    def probe(self, candidates: Sequence[Candidate], done: Done, deadline: float | None = None) -> list[Candidate]:
        """Execute one after the other; the deadline is looked at between two of them. Only Ctrl-C goes through."""
        from topcook.factory.probing.examine import examine

        for at, candidate in enumerate(candidates):
            if deadline is not None and time.monotonic() >= deadline:
                return list(candidates[at:])
            done(candidate, examine(candidate, self._registry, self._hook, through=(KeyboardInterrupt,)))
        return []

    def close(self) -> None:
        """Nothing was started."""
