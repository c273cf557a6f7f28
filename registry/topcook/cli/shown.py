"""A cook being shown: what happens goes to its view, for as long as somebody looks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from topcook.cli.feed import Told, pour
from topcook.errors import CookRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topcook.cli.feed import Feed, View
    from topcook.cli.interrupts import Interrupts
    from topcook.machine.items import Change
    from topcook.runtime.graph import Graph


class NoView:
    """Shows nothing: the terminal was closed."""

    repeats = False

    def changed(self, changes: Sequence[Change]) -> None:
        """Nobody looks."""

    def told(self, message: Told) -> None:
        """Nobody reads."""

    def tick(self) -> None:
        """There is nothing to draw on."""

    def close(self) -> None:
        """It is closed."""


class Shown:
    """Feed and view, and a word on the first Ctrl-C. A view that cannot be written to any more ends no cook."""

    def __init__(self, feed: Feed, view: View, interrupts: Interrupts) -> None:
        """Show what comes from ``feed``."""
        self._feed = feed
        self._view = view
        self._interrupts = interrupts
        self._said = False

    def update(self) -> None:
        """Show what has happened; stop when Ctrl-Z was pressed."""
        try:
            if self._interrupts.happened and not self._said:
                self._said = True
                # Shells repeat a SIGHUP, so that another one says nothing.
                again = "Ctrl-C" if self._interrupts.name == "SIGHUP" else "once more"
                self._view.told(Told("warning", "", f"{self._interrupts.name}: ending the jobs; {again} kills them"))
            pour(self._feed, self._view)
        except OSError:
            self._view = NoView()
        if self._interrupts.stop_asked:
            self._stop()

    def while_opening(self, graph: Graph) -> Callable[[], None]:
        """What shows, while schedulers are made, which of them keep the cook waiting; Ctrl-C ends that, too."""
        from topcook.runtime.watchdog import Watchdog

        watchdog = Watchdog(graph)

        def look() -> None:
            for message in watchdog.look():
                with contextlib.suppress(OSError):
                    self._view.told(Told(message.level, message.source, message.text))
            self.update()
            if self._interrupts.happened:
                busy = "\n".join(filter(None, (host.where_it_stands() for host in graph.hosts())))
                raise CookRefusedError(f"interrupted ({self._interrupts.name}) before the cook began\n{busy}")

        return look

    def _stop(self) -> None:
        """Leave the terminal to others while the process is stopped."""
        leave, come_back = getattr(self._view, "leave", None), getattr(self._view, "come_back", None)
        with contextlib.suppress(OSError):
            if leave is not None:
                leave()
        self._interrupts.stop()
        with contextlib.suppress(OSError):
            if come_back is not None:
                come_back()

    def close(self) -> None:
        """Show the rest."""
        self.update()
        with contextlib.suppress(OSError):
            self._view.close()
