"""The keeper of one cook: made when first asked for; where the cook goes on, the one that it had."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from topcook.runtime.slotpool import shared_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from topcook.config import Config
    from topcook.contract.host import JobKeeper
    from topcook.runtime.keeper.client import KeeperProcess

__all__ = ["CookKeeper"]


class CookKeeper:
    """Asked from any thread."""

    def __init__(self, directory: str, on_error: Callable[[str], None], config: Config) -> None:
        """``directory`` is the cook's; ``on_error`` hears of callbacks that raised."""
        self._config = config
        self._directory = directory
        self._on_error = on_error
        self._lock = threading.Lock()
        self._process: KeeperProcess | None = None
        #: The cook goes on: jobs may be left of it, and a keeper that has them. Set before anything else is asked.
        self.goes_on = False
        #: Jobs of a dead keeper that were ended.
        self._ended: set[str] = set()

    @property
    def used(self) -> bool:
        """Whether anybody has asked for it."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """The process id, ``None`` before the first local job."""
        process = self._process
        return process.pid if process is not None else None

    def process(self) -> KeeperProcess:
        """The keeper."""
        from topcook.runtime.keeper.client import KeeperProcess

        with self._lock:
            if self._process is None:
                self._process = KeeperProcess(
                    self._directory,
                    die_with_parent=self._config.die_with_parent,
                    on_error=self._on_error,
                    machine=shared_slots(self._config),
                )
                if self.goes_on:
                    from topcook.runtime.keeper.adoption import attach_left

                    attach_left(self._process)
            return self._process

    def pool(self, scheduler: str, together: AbstractContextManager[object]) -> JobKeeper:
        """The jobs of one scheduler; ask for it once. What is told of them in one go is told within ``together``."""
        process = self.process()
        process.together = together
        return process.pool(scheduler)

    def drop(self, tokens: Sequence[str]) -> None:
        """End what an earlier session left running of these; returns when it is gone."""
        if tokens and self.goes_on:
            self.process().cancel("", tokens, 5.0)

    def outlived(self, tokens: Sequence[str]) -> set[str]:
        """Those of these jobs that still run where no keeper tells us of them, to be awaited.

        What runs although its keeper is dead is ended, since nobody would see its end; what is left is of a keeper that
        cannot be reached, or does not go.
        """
        if not tokens or not self.goes_on:
            return set()
        process = self.process()
        # Those that its keeper has, or saw end since it was asked.
        rest = [token for token in tokens if not process.runs(token)]
        from topcook.runtime.keeper.record import orphans_of, running_of

        running = running_of(rest, self._directory)
        orphans = orphans_of(
            {token: pid for token, pid in running.items() if token not in self._ended}, self._directory
        )
        if orphans:
            from topcook.runtime.keeper.leftover import GRACE, end_orphans

            end_orphans(orphans, GRACE)
            # Once: what does not go is waited for.
            self._ended |= orphans.keys()
            running = running_of(rest, self._directory)
        return set(running)

    def kill(self) -> None:
        """End all its jobs at once, whatever this raises."""
        process = self._process
        if process is not None:
            with contextlib.suppress(Exception):  # the program is about to end; nothing must stop it
                process.cancel("", (), 0.0)

    def close(self, *, end_all: bool) -> None:
        """Leave it; with ``end_all`` nothing that it runs stays behind."""
        process = self._process
        if process is None:
            return
        if end_all or self.goes_on:
            process.cancel("", (), 0.0)
        process.close()
