"""From what a terminal sends to keys: escape sequences, control characters, typed and pasted text."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

__all__ = ["Decoder", "Press"]


class Press(NamedTuple):
    """A key by name; of ``text`` also the character, of ``paste`` all that was pasted."""

    name: str
    text: str = ""


#: Control characters by what a line of input or a menu makes of them.
_CONTROL = {
    "\x01": "home",
    "\x02": "left",
    "\x03": "ctrl-c",
    "\x04": "ctrl-d",
    "\x05": "end",
    "\x06": "right",
    "\x07": "esc",
    "\x08": "backspace",
    "\t": "tab",
    "\n": "enter",
    "\x0b": "ctrl-k",
    "\x0c": "ctrl-l",
    "\r": "enter",
    "\x0e": "down",
    "\x10": "up",
    "\x15": "ctrl-u",
    "\x17": "ctrl-w",
    "\x1a": "ctrl-z",
    "\x7f": "backspace",
}
#: What stands at the end of a sequence, or before its tilde.
_FINAL = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "F": "end",
    "H": "home",
    "Z": "tab",
    "1~": "home",
    "3~": "delete",
    "4~": "end",
    "5~": "pageup",
    "6~": "pagedown",
    "7~": "home",
    "8~": "end",
    "200~": "paste",
}
#: Reports of mouse and terminal have a sign before their numbers, and mean no key.
_SEQUENCE = re.compile(
    r"\x1b(?:O(?P<ss3>.)|\[(?P<report>[<=>?]?)(?P<first>\d*)[;:\d<=>?]*[ -/]*(?P<last>[@-~]))", re.DOTALL
)
_UNFINISHED = re.compile(r"\x1b(?:O|\[[0-?]*[ -/]*)?\Z")
_PASTE_END = "\x1b[201~"
#: No sequence is longer; what looks like one beyond that is noise.
_LONGEST = 64


class Decoder:
    """Takes bytes as they come, in whatever pieces, and gives keys. What it does not know is dropped."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._decode = codecs.getincrementaldecoder("utf-8")("ignore").decode
        self._rest = ""
        self._pasting = False

    @property
    def waiting(self) -> bool:
        """Whether what was read may be the beginning of a sequence, or the escape key: only time tells."""
        return bool(self._rest) and not self._pasting

    def feed(self, data: bytes) -> list[Press]:
        """The keys that are complete now."""
        self._rest += self._decode(data)
        presses: list[Press] = []
        while self._rest:
            press = self._pasted() if self._pasting else self._next()
            if press is None:
                break
            if press.name:
                presses.append(press)
        return presses

    def settle(self) -> list[Press]:
        """Nothing came for a while: an escape alone was the key."""
        rest, self._rest = self._rest, ""
        return [Press("esc")] if rest == "\x1b" else []

    def _take(self, length: int) -> str:
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken

    def _pasted(self) -> Press | None:
        end = self._rest.find(_PASTE_END)
        if end < 0:
            return None
        self._pasting = False
        text = self._take(end)
        self._take(len(_PASTE_END))
        return Press("paste", text)

    def _next(self) -> Press | None:
        """The next key; a nameless one for what means nothing; ``None`` while it is not complete."""
        first = self._rest[0]
        if first == "\x1b":
            return self._escape()
        if first in _CONTROL:
            return Press(_CONTROL[self._take(1)])
        if not first.isprintable():
            self._take(1)
            return Press("")
        return Press("text", self._take(1))

    def _escape(self) -> Press | None:
        found = _SEQUENCE.match(self._rest)
        if found:
            self._take(found.end())
            last = found["ss3"] or found["last"]
            name = _FINAL.get(found["first"] + last if last == "~" else last, "")
            if found["ss3"] == "M":
                name = "enter"
            elif found["report"]:
                name = ""
            self._pasting = name == "paste"
            return Press("" if self._pasting else name)
        if _UNFINISHED.match(self._rest) and len(self._rest) <= _LONGEST:
            return None
        self._take(1)
        if self._rest[:1].isalpha():
            return Press(f"alt-{self._take(1).lower()}")
        if self._rest[:1] in {"\x7f", "\x08"}:
            self._take(1)
            return Press("ctrl-w")
        return Press("esc") if self._rest[:1] == "\x1b" else Press("")
