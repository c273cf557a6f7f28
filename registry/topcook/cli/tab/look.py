"""How the menu looks on this terminal: its signs, in Unicode or ASCII, and whether there are colours."""

from __future__ import annotations

from typing import NamedTuple

from topcook.factory import GLYPHS

__all__ = ["Look", "Signs"]


class Signs(NamedTuple):
    """What is drawn with."""

    across: str
    down: str
    tee_down: str
    tee_up: str
    picked: str
    picked_list: str
    submenu: str
    prompt: str
    overridable: str
    dots: str
    dot: str
    wrong: str
    enter: str
    right: str
    left: str
    tab: str


_UNICODE = Signs("─", "│", "┬", "┴", "▌", "█", "▸", "▸", "◆", "…", "·", "✗", "⏎", "→", "←", "⇥")
_ASCII = Signs("-", "|", "+", "+", ">", "#", ">", ">", "*", "...", "-", "x", "Enter", "Right", "Left", "Tab")

#: Colours of looks, as parameters of "select graphic rendition". The word beside them says the same.
_COLOURS = {
    "ok": "32",
    "not probed": "36",
    "needs houdini": "33",
    "edit broken": "33",
    "invalid": "31",
    "failed": "31",
    "shadowed": "2",
    "disabled": "2",
    "skipped": "2",
}


class Look(NamedTuple):
    """``plain`` is ASCII without colours."""

    plain: bool = False

    @property
    def signs(self) -> Signs:
        """What is drawn with."""
        return _ASCII if self.plain else _UNICODE

    def glyph(self, look: str) -> str:
        """The shape of a state."""
        return GLYPHS[look][1 if self.plain else 0]

    def word(self, look: str) -> str:
        """The word for a state."""
        return GLYPHS[look][2]

    def colour(self, look: str) -> str:
        """The colour of a state; none where it is plain."""
        return "" if self.plain else _COLOURS.get(look, "")

    def style(self, parameters: str) -> str:
        """A rendition, or none where it is plain."""
        return "" if self.plain else parameters
