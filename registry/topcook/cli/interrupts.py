"""Ctrl-C and its kin: the first asks the cook to end, the second ends everything. Ctrl-Z waits for a tidy terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from topcook.cli.guard import INTERRUPTED

if TYPE_CHECKING:
    from topcook.runtime.cook import Cook

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Early:
    """Until a cook can be asked to end, the signals end the command as Ctrl-C does, and what it holds is put back."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        #: The signal that came and has ended nothing so far; 0 for none.
        self.waiting = 0
        self._count = 0
        self._held = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals within this context; one that was ignored stays ignored."""
        with _handled(dict.fromkeys(_SIGNALS, self._handle)):
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the first signal wait while a lock is being taken; who asks the cook to end asks for ``waiting``."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _handle(self, number: int, _frame: object) -> None:
        self._count += 1
        if self._held and self._count == 1:
            self.waiting = number
        elif self._count <= 2:  # noqa: PLR2004 - what is being put back after that is not to be interrupted
            raise KeyboardInterrupt


def catches_signals(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have a command's function end as Ctrl-C ends it, whichever the signal; it gets its ``Early`` as ``early``."""

    @wraps(command)
    def run(**options: Any) -> Any:
        early = Early()
        with early.caught():
            return command(early=early, **options)

    return run


@contextmanager
def _handled(handlers: dict[str, Callable[[int, object], None]]) -> Iterator[None]:
    before = {}
    for name, handle in handlers.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
    def caught(self, early: Early) -> Iterator[None]:
        """Catch the signals within this context, that which ``early`` let wait, too.

        One that was ignored (``nohup``) stays ignored.
        """
        with _handled({**dict.fromkeys(_SIGNALS, self._handle), "SIGTSTP": self._handle_stop}):
            if early.waiting:
                self._handle(early.waiting, None)
            yield

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
