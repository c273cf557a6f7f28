"""What each key does: pure, from keys to what is to be shown and what is to be done."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.keys import Press
from topcook.cli.tab.menu import Line, Menu, Submenu

__all__ = ["Action", "Do", "Page", "Session"]


class Do(Enum):
    """What the keys ask of the one who has the terminal."""

    CHOOSE = "choose"
    LEAVE = "leave"
    INTERRUPT = "interrupt"
    EDIT = "edit"
    COPY = "copy"
    PROBLEMS = "problems"
    HELP = "help"
    SUSPEND = "suspend"
    REPAINT = "repaint"


class Action(NamedTuple):
    """Something to be done, with the type that it is about."""

    do: Do
    entry: Entry | None = None


class Page:
    """Text that stands in place of the list until a key puts it away. Lines may have colours in them."""

    def __init__(self, title: str, lines: list[str]) -> None:
        """Begin at its first line."""
        self.title = title
        self.lines = lines
        self.top = 0

    def scroll(self, steps: int, room: int) -> None:
        """Move by lines, never beyond the last."""
        self.top = min(max(self.top + steps, 0), max(len(self.lines) - room, 0))


#: What a letter does in the list, and with Alt everywhere.
COMMANDS: dict[str, Do] = {"e": Do.EDIT, "p": Do.PROBLEMS, "y": Do.COPY}
_ALWAYS = {"ctrl-c": Do.INTERRUPT, "ctrl-z": Do.SUSPEND, "ctrl-l": Do.REPAINT}
_EDITING = frozenset({"backspace", "delete", "ctrl-u", "ctrl-k", "ctrl-w", "home", "end", "left", "right"})
_NO_TYPE = "pick a type first: this is a category"
_NOTHING = "nothing fits: Backspace widens the search"


class Session:
    """The menu with what is around it: a page that covers the list, a message, and who gets the letters.

    Letters filter. After Tab the list has them: e, p and y act on the picked type, every other one filters again.
    """

    def __init__(self, menu: Menu) -> None:
        """Begin with the letters filtering."""
        self.menu = menu
        self.page: Page | None = None
        self.message = ""
        self.in_list = False

    def press(self, press: Press) -> Action | None:
        """Carry out a key; what is left to do for the one who has the terminal."""
        self.message = ""
        if press.name in _ALWAYS:
            return Action(_ALWAYS[press.name])
        return self._in_menu(press) if self.page is None else self._in_page(self.page, press)

    def _in_menu(self, press: Press) -> Action | None:
        name = press.name
        if name == "esc" or (name == "ctrl-d" and not self.menu.field.text):
            return Action(Do.LEAVE)
        if name == "enter":
            return self._enter()
        if name in {"text", "paste"}:
            return self._text(press)
        if name.startswith("alt-"):
            return self._command(name.removeprefix("alt-"))
        self._steer("delete" if name == "ctrl-d" else name)
        return None

    def show(self, page: Page) -> None:
        """Cover the list by a page."""
        self.page = page

    def replace(self, entries: Iterable[Entry]) -> None:
        """The types as they are now."""
        self.menu.replace(entries)

    # Keys

    def _in_page(self, page: Page, press: Press) -> Action | None:
        room = self.menu.room
        steps = {
            "up": -1,
            "down": 1,
            "pageup": -room,
            "pagedown": room,
            "home": -len(page.lines),
            "end": len(page.lines),
        }
        if press.name in steps:
            page.scroll(steps[press.name], room)
            return None
        self.page = None
        command = COMMANDS.get(press.text) if press.name == "text" else COMMANDS.get(press.name.removeprefix("alt-"))
        if command in {Do.EDIT, Do.COPY} and self.menu.entry is not None:
            return Action(command, self.menu.entry)
        return None

    def _enter(self) -> Action | None:
        line: Line | None = self.menu.current
        if isinstance(line, Submenu):
            self.menu.open()
            return None
        entry = self.menu.entry
        if entry is None:
            self.message = _NOTHING
            return None
        if entry.look == "not probed":
            self.message = f"{entry.row.label} is being looked at: its row says when it can be chosen"
            return None
        return Action(Do.CHOOSE if entry.choosable else Do.PROBLEMS, entry)

    def _text(self, press: Press) -> Action | None:
        if press.name == "text" and press.text == "?":
            return Action(Do.HELP)
        if press.name == "text" and self.in_list and press.text in COMMANDS:
            return self._command(press.text)
        self.in_list = False
        self.menu.insert(press.text)
        return None

    def _command(self, letter: str) -> Action | None:
        do = COMMANDS.get(letter)
        if do is None:
            return None
        entry = self.menu.entry
        if entry is None:
            self.message = _NO_TYPE if self.menu.current else _NOTHING
            return None
        return Action(do, entry)

    def _steer(self, name: str) -> None:
        """Keys that move in the list or edit the line of input."""
        menu = self.menu
        steps = {"up": -1, "down": 1, "pageup": -menu.room, "pagedown": menu.room}
        if name in steps:
            menu.move(steps[name])
        elif name == "tab":
            self.in_list = not self.in_list
        elif name in {"right", "left", "backspace"} and not menu.field.text:
            # With nothing typed there is no caret to move, and nothing to delete: these walk through submenus.
            menu.open() if name == "right" else menu.back()
            self.in_list = self.in_list and name != "backspace"
        elif name in _EDITING:
            self.in_list = self.in_list and name in {"left", "right", "home", "end"}
            menu.press(name)
