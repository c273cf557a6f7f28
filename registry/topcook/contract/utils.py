"""What scheduler files take from ``pdg.utils``."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TickTimer", "expand_vars", "print_headless"]


class TickTimer(threading.Thread):
    """A thread that calls ``callback`` every ``period`` seconds until ``cancel()``; ends with the program.

    What the callback raises is printed, and the ticking goes on.
    """

    def __init__(self, period: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Prepare the thread; ``start()`` starts it. The first call comes one period later."""
        super().__init__(name="pdg tick timer", daemon=True)
        self.period = max(float(period), 0.001)
        self._callback = callback
        self._given = args, kwargs
        self._canceled = threading.Event()

    def run(self) -> None:
        """Tick until canceled."""
        args, kwargs = self._given
        while not self._canceled.wait(self.period):
            try:
                self._callback(*args, **kwargs)
            except Exception:  # noqa: BLE001 - author code: one bad tick must not end the polling
                sys.excepthook(*sys.exc_info())

    def cancel(self) -> None:
        """End the ticking; a call that is under way is finished."""
        self._canceled.set()


def print_headless(*args: Any, **kwargs: Any) -> None:
    """``print``: there is no user interface to keep quiet for."""
    print(*args, **kwargs)  # noqa: T201 - that is what it is for
