"""Ctrl-C and its kin: the first asks the cook to end, the second ends everything. Ctrl-Z waits for a tidy terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
        #: Ctrl-Z was pressed, and is to be followed by ``stop``.
        self.stop_asked = False

    @property
    def happened(self) -> bool:
        """Whether a signal asked the cook to end."""
        return self._count > 0

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals within this context; one that was ignored (``nohup``) stays ignored."""
        before = {}
        handlers = {**dict.fromkeys(_SIGNALS, self._handle), "SIGTSTP": self._handle_stop}
        for name, handle in handlers.items():
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop the process as Ctrl-Z does that nobody catches; returns when it goes on (``fg``)."""
        self.stop_asked = False
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._handle_stop)

    def _handle_stop(self, _number: int, _frame: object) -> None:
        # Not at once: this may be in the middle of drawing.
        self.stop_asked = True

    def _handle(self, number: int, _frame: object) -> None:
        if self._count and number == getattr(signal, "SIGHUP", None):
            # A terminal that is closed says so, and then the shell that was in it says it again.
            return
        self._count += 1
        self.name = signal.Signals(number).name
        if self._count == 1:
            self._cook.cancel(f"interrupted ({self.name})")
            return
        with suppress(OSError):  # the terminal may be gone
            self._before_exit()
        if self._count == 2:  # noqa: PLR2004 - the third does not even wait for the keeper's word
            self._cook.kill()
        os._exit(INTERRUPTED)
