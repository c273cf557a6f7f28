"""Progress on a terminal: a live bar with the counts of each state, what is cooking now beneath it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from topcook.cli.feed import Tally
from topcook.cli.wording import ended_line, log_lines, message_lines
from topcook.model.states import FINAL, SUCCESSFUL, WorkItemState
from topcook.model.workitem import Trait
from topcook.runtime.standstill import words_of
from topcook.runtime.summary import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.cli.feed import Told
    from topcook.cli.terminal import Terminal
    from topcook.machine.items import Change
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook

#: What is counted: glyph, its ASCII form, word, style, states; those without items are not shown, save the first.
COUNTED: tuple[tuple[str, str, str, str, tuple[WorkItemState, ...]], ...] = (
    ("●", "*", "cooked", "green", (WorkItemState.CookedSuccess, WorkItemState.CookedCache)),
    ("◐", "+", "cooking", "cyan", (WorkItemState.Cooking,)),
    ("◌", "o", "scheduled", "blue", (WorkItemState.Scheduled,)),
    ("·", ".", "waiting", "default", (WorkItemState.Waiting,)),
    ("✗", "x", "failed", "red", (WorkItemState.CookedFail,)),
    ("⊘", "/", "canceled", "yellow", (WorkItemState.CookedCancel,)),
)
#: The bar is drawn so often a second, and names so many of the items that cook.
DRAWS_A_SECOND = 8
NAMED = 4
#: So many failed items are told above the bar; the summary counts the rest.
FAILURES_TOLD = 20


class BarView:
    """The live bar on standard error; what is wrong stands above it and stays."""

    repeats = False

    def __init__(self, cook: Cook, terminal: Terminal, *, verbose: bool) -> None:
        """Draw the first frame."""
        self._cook = cook
        self._verbose = verbose
        self._tally = Tally(cook)
        self._cooking: dict[int, tuple[WorkItem, float]] = {}
        self._failures = 0
        self._begun = self._drawn = time.monotonic()
        self._console = Console(file=terminal.err, highlight=False)
        self._plain = not self._can_show("".join(row[0] for row in COUNTED))
        self._live = Live(
            self._frame(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def _can_show(self, glyphs: str) -> bool:
        try:
            glyphs.encode(self._console.encoding)
        except (LookupError, UnicodeEncodeError):
            return False
        return True

    def changed(self, changes: Sequence[Change]) -> None:
        """Count; note what cooks; tell what failed."""
        self._tally.take(changes)
        now = time.monotonic()
        for item, _, new, _ in changes:
            if new is WorkItemState.Cooking:
                self._cooking[item.id] = (item, now)
                continue
            self._cooking.pop(item.id, None)
            if new in FINAL and not item.traits & Trait.AUTOMATIC:
                self._ended(item, new)

    def _ended(self, item: WorkItem, state: WorkItemState) -> None:
        bad = state not in SUCCESSFUL
        self._failures += bad
        if self._verbose or (state is WorkItemState.CookedFail and self._failures <= FAILURES_TOLD):
            self._above(ended_line(item, state))
            if self._verbose:
                for line in log_lines(self._cook, item):
                    self._above(line)

    def told(self, message: Told) -> None:
        """Tell what is wrong above the bar."""
        if message.level != "info" or self._verbose:
            for line in message_lines(message):
                self._above(line)

    def _above(self, line: str) -> None:
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def tick(self) -> None:
        """Draw the bar anew, when it is time."""
        now = time.monotonic()
        if now - self._drawn >= 1 / DRAWS_A_SECOND:
            self._drawn = now
            self._live.update(self._frame(), refresh=True)

    def close(self) -> None:
        """Take the bar away and give the cursor back."""
        self._live.stop()

    def leave(self) -> None:
        """Take the bar away for as long as the process is stopped: the terminal is somebody else's."""
        self._live.stop()

    def come_back(self) -> None:
        """Draw it again."""
        self._live.start(refresh=True)

    # the frame

    def _frame(self) -> RenderableType:
        total, ended = self._tally.total, self._tally.ended
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, justify="right")
        colour = "red" if self._tally.of(WorkItemState.CookedFail) else "green"
        bar = ProgressBar(total=max(total, 1), completed=ended, complete_style=colour, finished_style=colour)
        spent = _clock(time.monotonic() - self._begun)
        doing = _doing(self._cook)
        line.add_row(Text(f"{doing} {self._cook.graph.network.name}", style="bold"), bar, f"{ended:,}/{total:,}", spent)
        return Group(line, self._counts(), self._now())

    def _counts(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for glyph, plain, word, style, states in COUNTED:
            number = self._tally.of(*states)
            if number or word == "cooked":
                text.append(f"{plain if self._plain else glyph} ", style=style)
                text.append(f"{number:,} {word}   ")
        return text

    def _now(self) -> Text:
        now = time.monotonic()
        if not self._cooking:
            words = words_of(self._cook.link, self._cook.state)
            told = "; ".join(f"{name} waits for {printable(each)}" for name, each in words.items())
            return Text(told, style="dim", no_wrap=True, overflow="ellipsis")
        oldest = sorted(self._cooking.values(), key=lambda each: each[1])[:NAMED]
        named = [f"{item.name} {_clock(now - since)}" for item, since in oldest]
        more = len(self._cooking) - len(named)
        line = ", ".join(named) + (f" and {more:,} more" if more else "")
        return Text(line, style="dim", no_wrap=True, overflow="ellipsis")


def _clock(seconds: float) -> str:
    """``0:07``: whole seconds, for what is drawn again and again."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"  # noqa: PLR2004


def _doing(cook: Cook) -> str:
    state = cook.state
    if state.cancel_reason or state.let_go:
        return "ending"
    return "detaching" if state.leaving else "paused" if state.paused else "cooking"
