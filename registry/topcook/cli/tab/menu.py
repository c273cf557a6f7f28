"""What the menu shows and which line of it is picked: pure, driven by keys and by types that change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from topcook.cli.tab.entries import Entry, Key, recent_key
from topcook.cli.tab.field import Field
from topcook.cli.tab.match import Fit, fit
from topcook.cli.tab.order import settled, successors

__all__ = ["Heading", "Item", "Line", "Menu", "Submenu"]

#: How many recent choices stand at the top of the menu.
RECENT_SHOWN = 4


class Heading(NamedTuple):
    """A line that only says what follows."""

    text: str


class Submenu(NamedTuple):
    """A category that opens; ``members`` are in its order."""

    category: str
    members: tuple[Entry, ...]


class Item(NamedTuple):
    """A type. ``foreign`` where its category is not said by a heading above it; ``fits`` what was typed, or not."""

    entry: Entry
    foreign: bool = False
    fits: bool = True


Line = Heading | Submenu | Item
#: What a line is recognised by when lines are made anew: an entry's key, a category, none for a heading.
_Mark = Key | str | None


class Menu:
    """The lines, the one that is picked, and the first that is visible.

    ``Invariant``: ``at`` is the index of a line that can be picked, or -1 when there is none;
    ``top <= at < top + room`` unless ``at`` is -1.
    """

    def __init__(self, entries: Iterable[Entry], recent: Sequence[str] = (), room: int = 12) -> None:
        """Begin with an empty filter, the last choice picked."""
        self._recent = {key: rank for rank, key in reversed(list(enumerate(recent)))}
        self._know(entries)
        self.field = Field()
        self.category = ""
        self.lines: list[Line] = []
        self.at = -1
        self.top = 0
        self.room = room
        self._rebuild()

    # What stands there

    @property
    def current(self) -> Line | None:
        """The line that is picked."""
        return self.lines[self.at] if self.at >= 0 else None

    @property
    def entry(self) -> Entry | None:
        """The type that is picked; ``None`` on a category."""
        line = self.current
        return line.entry if isinstance(line, Item) else None

    @property
    def visible(self) -> list[Line]:
        """The lines that there is room for."""
        return self.lines[self.top : self.top + self.room]

    @property
    def shown(self) -> int:
        """How many types the lines stand for."""
        items = {line.entry.key for line in self.lines if isinstance(line, Item) and line.fits}
        members = {each.key for line in self.lines if isinstance(line, Submenu) for each in line.members}
        return len(items | members)

    @property
    def filtering(self) -> bool:
        """Whether something was typed that counts."""
        return bool(self.field.text.strip())

    # What a person does

    def press(self, key: str) -> None:
        """An editing key for the line of input."""
        if self.field.press(key):
            self._rebuild()

    def insert(self, text: str) -> None:
        """Typed or pasted text."""
        if self.field.insert(text):
            self._rebuild()

    def move(self, steps: int) -> None:
        """Pick a line further down or up, headings not counted; it stops at both ends."""
        picks = self._picks()
        if not picks:
            return
        place = picks.index(self.at) + steps if self.at in picks else 0
        self.at = picks[min(max(place, 0), len(picks) - 1)]
        self._follow()

    def open(self) -> bool:
        """Open the category that is picked; whether there was one."""
        line = self.current
        if not isinstance(line, Submenu):
            return False
        self.category = line.category
        self._rebuild()
        return True

    def back(self) -> bool:
        """Leave the submenu, which is picked then; whether there was one."""
        if not self.category:
            return False
        left, self.category = self.category, ""
        self._rebuild()
        self._pick(left)
        return True

    def resize(self, room: int) -> None:
        """Another number of lines is visible."""
        self.room = max(room, 1)
        self._follow()

    # What changes by itself

    def replace(self, entries: Iterable[Entry]) -> None:
        """The types as they are now. Lines keep their order, the picked one stays picked and on its row."""
        heirs = successors((each.key for each in self.entries), (new := {each.key: each for each in entries}))
        picked, row = self._mark(self.current), self.at - self.top
        shown = [heirs.get(key, key) for key in self._order()]
        self._know(new.values())
        if self.category and self.category not in self.categories:
            self.category = ""
        before = self.at
        self._make(shown)
        if before < 0:
            self._pick_first()
        elif not self._pick(heirs.get(picked, picked) if isinstance(picked, tuple) else picked):
            # It is gone: its neighbour takes over, and nothing else moves.
            self.at = min(before, len(self.lines) - 1)
            self._step_off_heading()
        self.top = max(self.at - row, 0)
        self._follow()

    # How lines are made

    def _know(self, entries: Iterable[Entry]) -> None:
        """Take these entries, and what follows from them alone; ``categories`` are in the order of the listing."""
        self.entries = list(entries)
        self.categories = list(dict.fromkeys(entry.row.category for entry in self.entries))
        self._ranks: dict[Key, int] = {}
        if self._recent:
            ranks = ((each.key, self._recent.get(recent_key(each.record))) for each in self.entries)
            self._ranks = {key: rank for key, rank in ranks if rank is not None}

    def _rebuild(self) -> None:
        self._make(())
        self.top = 0
        self._pick_first()

    def _make(self, shown: Sequence[Key]) -> None:
        """Make the lines anew; entries that are ``shown`` keep the order they have there."""
        if self.filtering:
            several = len(self.categories) > 1
            fitting = self._filtered()
            lines = settled(shown, [each for each, _ in fitting])
            fits = {each.key for each, found in fitting if found}
            self.lines = [Item(each, several, each.key in fits) for each in lines]
        elif self.category:
            members = [each for each in self.entries if each.row.category == self.category]
            self.lines = [Item(each) for each in settled(shown, members)]
        else:
            self.lines = [*self._recent_lines(), *self._category_lines(shown)]

    def _recent_lines(self) -> list[Line]:
        found = [each for each in self.entries if each.key in self._ranks]
        found.sort(key=lambda each: self._ranks[each.key])
        lines: list[Line] = [Item(each, foreign=True) for each in found[:RECENT_SHOWN]]
        return [Heading("Recent"), *lines] if lines else []

    def _category_lines(self, shown: Sequence[Key]) -> list[Line]:
        categories = self.categories
        members: dict[str, list[Entry]] = {name: [] for name in categories}
        for each in self.entries:
            members[each.row.category].append(each)
        if len(categories) != 1:
            return [Submenu(name, tuple(members[name])) for name in categories]
        # A menu of one submenu would only be in the way.
        recent = {line.entry.key for line in self._recent_lines() if isinstance(line, Item)}
        rest = [each for each in settled(shown, members[categories[0]]) if each.key not in recent]
        return [Heading(categories[0]), *(Item(each) for each in rest)] if rest else []

    def _filtered(self) -> list[tuple[Entry, bool]]:
        """What fits, best first; then what is broken, whether it fits or not: a broken type never vanishes."""
        ranked: list[tuple[tuple[bool, bool, Fit, int, int], Entry]] = []
        text, last = self.field.text, len(self._ranks)
        for order, each in enumerate(self.entries):
            found = fit(text, each.row.label, each.row.name, each.row.category)
            broken = each.broken
            if found is None and not broken:
                continue
            rank = self._ranks.get(each.key, last)
            ranked.append(((broken, found is None, found or Fit(0, 0), rank, order), each))
        ranked.sort(key=lambda row: row[0])
        return [(each, not order[1]) for order, each in ranked]

    @staticmethod
    def _may_be_first(line: Line) -> bool:
        return not isinstance(line, Item) or line.fits

    @staticmethod
    def _is_broken(line: Line) -> bool:
        return isinstance(line, Item) and not line.entry.choosable

    # Which line

    def _order(self) -> list[Key]:
        return [line.entry.key for line in self.lines if isinstance(line, Item)]

    def _picks(self) -> list[int]:
        return [number for number, line in enumerate(self.lines) if not isinstance(line, Heading)]

    @staticmethod
    def _mark(line: Line | None) -> _Mark:
        if isinstance(line, Item):
            return line.entry.key
        return line.category if isinstance(line, Submenu) else None

    def _pick_first(self) -> None:
        """Pick the first line that Enter would do something with; where nothing fits what was typed, none."""
        picks = [number for number in self._picks() if self._may_be_first(self.lines[number])]
        good = (number for number in picks if self.filtering or not self._is_broken(self.lines[number]))
        self.at = next(good, picks[0] if picks else -1)
        self._follow()

    def _pick(self, mark: _Mark) -> bool:
        for number, line in enumerate(self.lines):
            if mark is not None and self._mark(line) == mark:
                self.at = number
                self._follow()
                return True
        return False

    def _step_off_heading(self) -> None:
        if self.at >= 0 and isinstance(self.lines[self.at], Heading):
            picks = self._picks()
            self.at = next((number for number in picks if number > self.at), picks[-1] if picks else -1)

    def _follow(self) -> None:
        """Keep the picked line visible, and no room empty that lines could fill."""
        self.top = min(self.top, max(len(self.lines) - self.room, 0))
        if self.at >= 0:
            self.top = min(max(self.top, self.at - self.room + 1), self.at)
            if self.at == 1 and self.room > 1:
                self.top = 0  # the heading above the first line
