"""The line of input: a text, a caret, and the keys that shells have for them."""

from __future__ import annotations

import re

__all__ = ["Field"]

_LAST_WORD = re.compile(r"\S*\s*\Z")


class Field:
    """What was typed. ``caret`` is between 0 and the text's length."""

    def __init__(self) -> None:
        """Begin empty."""
        self.text = ""
        self.caret = 0

    def press(self, key: str) -> bool:
        """Carry out an editing key; whether the text changed. Keys of other kinds do nothing."""
        before, after = self.text[: self.caret], self.text[self.caret :]
        if key == "backspace":
            return self._become(before[:-1], after)
        if key == "delete":
            return self._become(before, after[1:])
        if key == "ctrl-u":
            return self._become("", after)
        if key == "ctrl-k":
            return self._become(before, "")
        if key == "ctrl-w":
            return self._become(_LAST_WORD.sub("", before), after)
        self._move(key)
        return False

    def _move(self, key: str) -> None:
        steps = {"left": self.caret - 1, "right": self.caret + 1, "home": 0, "end": len(self.text)}
        self.caret = min(max(steps.get(key, self.caret), 0), len(self.text))

    def insert(self, text: str) -> bool:
        """Insert at the caret, on one line and without what cannot be seen; whether the text changed."""
        shown = "".join(each for each in " ".join(text.split("\n")).replace("\t", " ") if each.isprintable())
        return self._become(self.text[: self.caret] + shown, self.text[self.caret :])

    def _become(self, before: str, after: str) -> bool:
        changed = before + after != self.text
        self.text, self.caret = before + after, len(before)
        return changed
