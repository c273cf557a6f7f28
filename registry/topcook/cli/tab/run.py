"""The menu on a terminal: paint, wait for a key or a change, do what the key says."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.feed import Feed
from topcook.cli.tab.frame import Frame, drawn, erased
from topcook.cli.tab.keys import Decoder, Press
from topcook.cli.tab.paint import Painter, Shape
from topcook.cli.tab.session import Action, Do, Page, Session
from topcook.cli.tab.strays import Strays
from topcook.cli.tab.terminal import Terminal

__all__ = ["MenuLoop"]

#: How long an escape may be the beginning of a sequence; long enough for a slow line, too short to be felt.
_ESCAPE_WAIT = 0.05
_ALTERNATE_ON, _ALTERNATE_OFF = "\x1b[?1049h\x1b[H\x1b[2J", "\x1b[?1049l"
#: Below this many columns lines of a page are cut.
_NARROWEST_PAGE = 20
#: Terminals take no more than this into the clipboard.
_MOST_COPIED = 74_000


class MenuLoop:
    """Lets a person choose. ``full`` takes the whole screen, and gives it back."""

    def __init__(self, terminal: Terminal, session: Session, painter: Painter, feed: Feed, *, full: bool) -> None:
        """Nothing is shown before ``choose``."""
        self._terminal = terminal
        self._session = session
        self._painter = painter
        self._feed = feed
        self._full = full
        self._decoder = Decoder()
        self._strays = Strays()
        self._shown: Frame | None = None
        self._painted = False
        self._columns = 0
        self._lines = 0

    def choose(self) -> Entry | None:
        """The type that was chosen; ``None`` when the menu was left. Raises ``KeyboardInterrupt`` on Ctrl-C."""
        started = False
        try:
            while True:
                with self._terminal.raw(), self._picture(), self._strays.kept_apart():
                    if not started:
                        self._feed.start(self._terminal.wake)
                        started = True
                    action = self._keys_until_it_ends()
                self._strays.tell()
                if action.do is Do.CHOOSE:
                    return action.entry
                if action.do is Do.INTERRUPT:
                    raise KeyboardInterrupt
                if action.do is Do.LEAVE:
                    return None
                self._outside(action)
        finally:
            self._feed.close()
            self._strays.tell()

    # Keys

    def _keys_until_it_ends(self) -> Action:
        """Work until something has to be done without the picture."""
        self._paint()
        settle_at: float | None = None
        while True:
            data = self._terminal.read(None if settle_at is None else max(settle_at - time.monotonic(), 0))
            if data is None:
                return Action(Do.LEAVE)
            presses = self._decoder.feed(data)
            if settle_at is not None and not data and time.monotonic() >= settle_at:
                presses = self._decoder.settle()
            if not self._decoder.waiting:
                settle_at = None
            elif data or settle_at is None:
                settle_at = time.monotonic() + _ESCAPE_WAIT
            action = self._press_all(presses)
            if action is not None:
                return action
            self._take_changes()
            self._paint()

    def _press_all(self, presses: list[Press]) -> Action | None:
        for press in presses:
            action = self._session.press(press)
            if action is not None and self._within(action):
                return action
        return None

    def _within(self, action: Action) -> bool:
        """Do what can be done beside the picture; whether it is something else."""
        from topcook.cli.tab.pages import block, help_page, problems_page

        session, entry = self._session, action.entry
        if action.do is Do.HELP:
            session.show(help_page(self._painter.look))
        elif action.do is Do.REPAINT:
            self._clear()
        elif action.do is Do.PROBLEMS and entry is not None:
            session.show(problems_page(entry, self._painter.look, max(self._columns - 2, _NARROWEST_PAGE)))
        elif action.do is Do.COPY and entry is not None:
            text = block(entry)
            self._terminal.write(_to_clipboard(text))
            session.show(Page("copied, where the terminal lets us (OSC 52)", text.splitlines()))
        else:
            return True
        return False

    def _outside(self, action: Action) -> None:
        """Do what needs the terminal as it was."""
        if action.do is Do.SUSPEND:
            if not self._terminal.suspend():
                self._session.message = "it cannot be suspended here: the shell that waits for it could not go on"
            return
        if action.entry is None:
            return
        from topcook.cli.tab.editor import editor_command

        command = editor_command(action.entry.path, action.entry.line)
        if command is None:
            self._session.message = f"no editor: set VISUAL or EDITOR; the file is {action.entry.path}"
            return
        try:
            status = self._terminal.run(command)
        except OSError as error:
            self._session.message = f'"{command[0]}" cannot be started: {error.strerror}; set VISUAL or EDITOR'
            return
        self._session.message = f"{command[0]} ended with status {status}" if status else ""
        self._feed.refresh()
        self._take_changes()

    def _take_changes(self) -> None:
        if self._feed.changed():
            self._session.replace(self._feed.entries())
        self._session.message = self._session.message or self._feed.note()

    # The picture

    @contextmanager
    def _picture(self) -> Iterator[None]:
        """Show the menu within this context, and leave the screen as it was."""
        if self._full:
            self._terminal.write(_ALTERNATE_ON)
        try:
            # The list stands first, and takes keys; what is known of the picked line comes a moment later.
            self._paint(pane=self._painted)
            self._painted = True
            yield
        finally:
            # A terminal that has gone needs no tidying.
            with suppress(OSError):
                if self._full:
                    self._terminal.write(_ALTERNATE_OFF)
                elif self._shown is not None:
                    self._terminal.write(erased(self._shown))
            self._shown = None

    def _paint(self, *, pane: bool = True) -> None:
        columns, lines = self._terminal.size()
        if (columns, lines) != (self._columns, self._lines):
            self._columns, self._lines = columns, lines
            self._clear()
        shape = Shape.of(columns, lines, full=self._full)
        self._session.menu.resize(shape.list_rows)
        frame = self._painter.frame(self._session, shape, pane=pane)
        if frame != self._shown:
            # Noted before it is there: a signal right after the writing finds what it has to erase.
            before, self._shown = self._shown, frame
            self._terminal.write(drawn(frame, before))

    def _clear(self) -> None:
        """Forget what is shown, so that all is painted; a terminal that grew narrower may have wrapped it."""
        if self._shown is None:
            return
        if self._full:
            self._terminal.write("\x1b[H\x1b[2J")
        else:
            wrapped = self._shown.caret[1] // max(self._columns, 1)
            self._terminal.write((f"\x1b[{wrapped}A" if wrapped else "") + erased(self._shown))
        self._shown = None


def _to_clipboard(text: str) -> str:
    """What asks a terminal to copy; it reaches the user's own machine through ssh, too."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()[:_MOST_COPIED]).decode()}\x07"
