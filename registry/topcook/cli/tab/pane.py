"""What is known of the line that is picked, as the pane at the right (or below) shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.frame import Row, Span
from topcook.cli.tab.look import Look
from topcook.cli.tab.menu import Item, Line, Submenu
from topcook.factory.details import Details, details_of
from topcook.model.cells import cell_width, cut, padded, printable

__all__ = ["pane_rows"]

#: Columns of a parm's name and value at most; the sign of what a node may override stands behind them.
_NAME, _VALUE = 18, 24


def pane_rows(line: Line | None, look: Look, width: int, room: int) -> list[Row]:
    """At most ``room`` rows of at most ``width`` cells, from column 0."""
    if isinstance(line, Item):
        return _Pane(look, width, room).entry(line.entry)
    if isinstance(line, Submenu):
        return _Pane(look, width, room).submenu(line)
    return []


class _Pane:
    """A pane being written: no row is wider or further down than there is room."""

    def __init__(self, look: Look, width: int, room: int) -> None:
        self.look = look
        self.width = width
        self.room = room

    def text(self, text: str, style: str = "", column: int = 0) -> Row:
        """A row with one text."""
        shown = cut(text, self.width - column, self.look.signs.dots)
        return (Span(column, shown, self.look.style(style)),) if shown else ()

    def entry(self, entry: Entry) -> list[Row]:
        """A type: who it is on top, what it does at the bottom, and between them as much as fits."""
        details = details_of(entry.record)
        head = [self._title(entry), *self._origin(entry)]
        if not entry.choosable:
            return self._fit(head, list(self._wrong(entry, details)), [])
        if details.about:
            head += [self.text(each) for each in self._wrapped(details.about, 2)]
        return self._fit(head, list(self._parms(details)), list(self._abilities(details)))

    def submenu(self, line: Submenu) -> list[Row]:
        """A category: its members with their states."""
        members = [
            (Span(0, self.look.glyph(each.look), self.look.colour(each.look)), *self.text(each.row.label, column=2))
            for each in line.members
        ]
        return self._fit([self.text(f"{line.category} {self.look.signs.submenu}", "1")], members, [])

    def _fit(self, head: list[Row], middle: list[Row], foot: list[Row]) -> list[Row]:
        """Head, middle and foot in the room there is; of the middle it is said how much is not shown."""
        room = self.room - len(head) - len(foot)
        if room < 1:
            return (head + foot)[: self.room]
        if len(middle) > room:
            left_out = len(middle) - room + 1
            middle = [*middle[: room - 1], self.text(f"{self.look.signs.dots} {left_out} more", "2")]
        return head + middle + foot

    def _title(self, entry: Entry) -> Row:
        """The label at the left, the name to type at the right."""
        label, name = entry.row.label, entry.row.name
        if label == name:
            return self.text(label, "1")
        shown = cut(name, max(self.width // 2, self.width - cell_width(label) - 2), self.look.signs.dots)
        at = self.width - cell_width(shown)
        left = cut(label, at - 2, self.look.signs.dots)
        return Span(0, left, self.look.style("1")), Span(at, shown, self.look.style("36"))

    def _origin(self, entry: Entry) -> Iterator[Row]:
        text = entry.row.origin
        if entry.look != "ok":
            word = self.look.word(entry.look)
            edit = entry.record.edit
            yield self.text(edit.told if edit is not None else word, self.look.colour(entry.look))
        # Of a path its end says most.
        over = cell_width(text) - self.width
        dots = self.look.signs.dots
        yield self.text(text if over <= 0 else dots + text[over + len(dots) :], "2")

    def _wrong(self, entry: Entry, details: Details) -> Iterator[Row]:
        """All problems with their places and what to type; the reason where there are none."""
        edit = entry.record.edit
        problems = edit.problems if edit is not None else details.problems
        if not problems:
            yield from (self.text(each) for each in self._wrapped(printable(entry.record.why_not()), 4))
        for problem in problems:
            where = f"l.{problem.line} " if problem.line else ""
            message = printable(problem.message.partition("\n")[0])
            rows = self._wrapped(f"{self.look.signs.wrong} {where}{message}", 4)
            yield from (self.text(each, self.look.colour("failed") if not at else "") for at, each in enumerate(rows))
            hint = printable((problem.hint or "").partition("\n")[0])
            yield from (self.text(each, "36", 2) for each in self._wrapped(hint, 2, self.width - 2))

    def _parms(self, details: Details) -> Iterator[Row]:
        sign = self.look.signs.overridable
        parms = details.parms
        name_width = min(max((cell_width(each.name) for each in parms), default=0), _NAME, self.width // 2)
        value_width = min(max((cell_width(each.value) for each in parms), default=0), _VALUE)
        value_width = min(value_width, self.width - name_width - 4)
        for each in parms:
            name = padded(cut(each.name, name_width, self.look.signs.dots), name_width)
            value = cut(each.value, value_width, self.look.signs.dots)
            row = (Span(0, name), Span(name_width + 2, value, self.look.style("36")))
            mark = Span(name_width + value_width + 4 - 1, sign, self.look.style("33"))
            yield (*row, mark) if each.overridable else row

    def _abilities(self, details: Details) -> Iterator[Row]:
        dot = self.look.signs.dot
        if any(each.overridable for each in details.parms):
            yield self.text(f"{self.look.signs.overridable} overridable per node", "2")
        if details.own or details.default or details.missing:
            counts = f"{len(details.own)} own {dot} {len(details.default)} default {dot} "
            yield self.text(f"callbacks {counts}{len(details.missing)} {self.look.signs.wrong}", "2")
        shown = [f"{each.word} {'yes' if each.has else 'no'}" for each in details.abilities if each.word != "status"]
        if shown:
            yield self.text(f" {dot} ".join(shown), "2")

    def _wrapped(self, text: str, most: int, width: int = 0) -> list[str]:
        """The text on at most ``most`` lines, broken between words where that is possible."""
        width = max(width or self.width, 1)
        lines: list[str] = []
        for word in text.split():
            if lines and cell_width(lines[-1]) + 1 + cell_width(word) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        if len(lines) > most:
            lines[most - 1 :] = [" ".join(lines[most - 1 :])]
        return list(_cut_all(lines, width, self.look.signs.dots))


def _cut_all(lines: Iterable[str], width: int, dots: str) -> Iterator[str]:
    return (cut(line, width, dots) for line in lines)
