"""Progress as lines, for logs and pipes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from topcook.cli.feed import Tally
from topcook.cli.problems import wants_colour
from topcook.cli.wording import ended_line, log_lines, message_lines
from topcook.model.states import FINAL, SUCCESSFUL, WorkItemState
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.cli.feed import Told
    from topcook.cli.terminal import Terminal
    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook

#: Up to so many lines a second each item has its own; beyond, and until it is quieter, a count every few seconds.
LINES_A_SECOND = 10.0
LINES_AT_ONCE = 30.0
COUNT_EVERY = 2.0
#: So many failed items are told whatever the rate; the summary counts the rest.
FAILURES_TOLD = 50


class PlainView:
    """One line for each item that ended; with ``verbose`` for each that started too, and what its log says."""

    repeats = False

    def __init__(self, cook: Cook, terminal: Terminal, *, verbose: bool, items: bool = True) -> None:
        """Show ``cook``; without ``items`` only what is wrong."""
        self._cook = cook
        self._terminal = terminal
        self._verbose = verbose
        self._items = items
        self._tally = Tally(cook)
        self._ended: list[tuple[int, WorkItem, WorkItemState]] = []
        self._credit = LINES_AT_ONCE
        self._silent = False
        self._unsaid = 0
        self._failures = 0
        self._last = self._counted = time.monotonic()

    def changed(self, changes: Sequence[Change]) -> None:
        """Count, and keep what is to be told."""
        number = self._tally.ended
        self._tally.take(changes)
        for item, old, new, _ in changes:
            if new in FINAL and old not in FINAL:
                number += 1
                if not item.traits & Trait.AUTOMATIC:
                    self._ended.append((number, item, new))
            elif self._verbose and new is WorkItemState.Cooking:
                self._line(f"         {item.name} started on {item.scheduler}")

    def told(self, message: Told) -> None:
        """Tell what is wrong; what is only worth knowing, when asked to be talkative."""
        if message.level != "info" or self._verbose:
            for line in message_lines(message):
                self._line(line)

    def tick(self) -> None:
        """Write the lines that are due."""
        now = time.monotonic()
        if not self._silent:
            self._credit = min(LINES_AT_ONCE, self._credit + (now - self._last) * LINES_A_SECOND)
        self._last = now
        ended, self._ended = self._ended, []
        if not self._items:
            return
        if self._verbose or (ended and len(ended) <= self._credit and not self._silent):
            self._credit -= len(ended)
            self._tell_items(ended)
        elif ended:
            if not self._silent:
                self._silent, self._counted, self._unsaid = True, now, 0
            self._unsaid += len(ended)
            self._tell_items([each for each in ended if each[2] not in SUCCESSFUL])
        if self._silent and now - self._counted >= COUNT_EVERY:
            self._count(now)

    def _tell_items(self, ended: Sequence[tuple[int, WorkItem, WorkItemState]]) -> None:
        total = self._tally.total
        width = len(str(total))
        for number, item, state in ended:
            if state not in SUCCESSFUL:
                self._failures += 1
                if self._failures > FAILURES_TOLD and not self._verbose:
                    continue
            self._line(f"{number:>{width}}/{total}  {ended_line(item, state)}")
            if self._verbose:
                for line in log_lines(self._cook, item):
                    self._line(line)

    def _count(self, now: float) -> None:
        tally, self._counted = self._tally, now
        # Quiet again: from here on each item has its line.
        self._silent = self._unsaid > LINES_A_SECOND * COUNT_EVERY
        self._credit, self._unsaid = LINES_A_SECOND, 0
        bad = tally.of(WorkItemState.CookedFail)
        failed = f", {bad:,} failed" if bad else ""
        self._line(f"{tally.ended:,}/{tally.total:,} ended{failed}, {tally.of(WorkItemState.Cooking):,} cooking")

    def _line(self, text: str) -> None:
        if not wants_colour(self._terminal.err):
            text = click.unstyle(text)
        self._terminal.write(text + "\n")

    def close(self) -> None:
        """Say how far it got, where single items were not told."""
        if self._silent and self._items:
            self._count(time.monotonic())
