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

    def outlived(self, tokens: Sequence[str]) -> list[str]:
        """Those of these jobs that still run although their keeper is gone: nobody will see their end."""
        if not tokens or not self.goes_on:
            return []
        process = self.process()
        # Those that its keeper has, or saw end since it was asked.
        rest = [token for token in tokens if not process.runs(token)]
        from topcook.runtime.keeper.record import leaders_of, read_record

        recorded = read_record(self._directory)
        running = {token for token in rest if token in recorded and recorded[token].is_running}
        # A keeper may have been killed between the start of a job and the line that tells of it.
        running |= leaders_of({token for token in rest if token not in recorded})
        return [token for token in rest if token in running]

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
