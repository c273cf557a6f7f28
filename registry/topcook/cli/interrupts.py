"""Ctrl-C and its kin: the first asks the cook to end, the second ends everything."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from topcook.cli.guard import INTERRUPTED

if TYPE_CHECKING:
    from topcook.runtime.cook import Cook

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """Counts the signals that end a cook. A handler only posts; nothing is decided in it."""

    def __init__(self, cook: Cook, before_exit: Callable[[], None]) -> None:
        """End ``cook``; ``before_exit`` gives the terminal back when the process ends at once."""
        self.name = ""
        self._cook = cook
        self._before_exit = before_exit
        self._count = 0

    @property
    def happened(self) -> bool:
        """Whether a signal asked the cook to end."""
        return self._count > 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals within this context; one that was ignored (``nohup``) stays ignored."""
        before = {}
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, _frame: object) -> None:
        self._count += 1
        self.name = signal.Signals(number).name
        if self._count == 1:
            self._cook.cancel(f"interrupted ({self.name})")
            return
        self._before_exit()
        if self._count == 2:  # noqa: PLR2004 - the third does not even wait for the keeper's word
            self._cook.kill()
        os._exit(INTERRUPTED)
