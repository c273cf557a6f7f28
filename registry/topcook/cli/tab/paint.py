"""A picture of the session: the line of input, the list, the pane, and which keys do what."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from topcook.cli.tab.frame import Frame, Row, Span, coloured
from topcook.cli.tab.look import Look
from topcook.cli.tab.menu import Heading, Item, Line, Submenu
from topcook.cli.tab.session import Page, Session
from topcook.model.cells import cell_width, cut

__all__ = ["INLINE_ROWS", "Painter", "Shape"]

#: How high the menu is at most where it does not take the whole screen.
INLINE_ROWS = 16
#: From this width on the pane stands beside the list.
WIDE = 80
_LEAST_PANE, _MOST_PANE = 34, 72
#: Rows of the pane below the list; there is none where the list would get fewer rows than these.
_FOLDED_PANE, _LEAST_LIST = 4, 3
#: Rows of a menu with line of input, two rules and keys around its list.
_CHROME = 4
#: Looks of types that somebody has to mend.
_BROKEN = frozenset({"invalid", "failed", "edit broken"})


class Shape(NamedTuple):
    """How the room of a terminal is divided. ``width`` leaves its last column free: writing there wraps the line."""

    width: int
    height: int
    list_rows: int
    pane_rows: int
    list_width: int
    pane_width: int
    ruled: bool

    @property
    def beside(self) -> bool:
        """Whether the pane stands at the right."""
        return self.pane_width < self.width

    @property
    def page_rows(self) -> int:
        """Rows of a page that covers list and pane."""
        folded = self.pane_rows + 1 if self.pane_rows and not self.beside else 0
        return self.list_rows + folded

    @classmethod
    def of(cls, columns: int, lines: int, *, full: bool = False) -> Shape:
        """The shape for a terminal of that size."""
        width = max(columns - 1, 8)
        height = max(lines if full else min(lines, INLINE_ROWS), 2)
        ruled = height >= _CHROME + _LEAST_LIST
        body = max(height - (_CHROME if ruled else 1), 1)
        if columns >= WIDE:
            pane = min(max(width * 44 // 100, _LEAST_PANE), _MOST_PANE)
            return cls(width, height, body, body, width - pane - 2, pane, ruled)
        pane_rows = min(_FOLDED_PANE, body - _LEAST_LIST - 1) if ruled else 0
        if pane_rows < 2:  # noqa: PLR2004 - one line would only repeat the list's
            return cls(width, height, body, 0, width, width, ruled)
        return cls(width, height, body - pane_rows - 1, pane_rows, width, width, ruled)


class Painter:
    """Makes frames of a session. ``default`` is the scheduler that is used where none is named."""

    def __init__(self, look: Look, default: str = "") -> None:
        """Paint with these signs."""
        self.look = look
        self.default = default.lower()

    def frame(self, session: Session, shape: Shape, *, pane: bool = True) -> Frame:
        """The whole picture; as many rows as the shape is high. Without ``pane`` its place stays empty."""
        head, caret = self._head(session, shape)
        page = session.page
        body = self._page(page, shape) if page is not None else self._body(session, shape, pane=pane)
        rows = [head]
        if shape.ruled:
            split = shape.list_width if shape.beside and page is None else -1
            signs = self.look.signs
            rows.append(self._rule(shape, split, signs.tee_down))
            rows += body
            rows.append(self._rule(shape, split, signs.tee_up))
            rows.append(self._keys(session, shape))
        else:
            rows += body
        return Frame(tuple(rows[: shape.height]), (0, caret))

    # The line of input

    def _head(self, session: Session, shape: Shape) -> tuple[Row, int]:
        menu, signs = session.menu, self.look.signs
        spans = [Span(1, "TAB", self.look.style("1"))]
        prompt = f" {signs.prompt} " + (f"{menu.category} {signs.submenu} " if menu.category else "")
        prompt = cut(prompt, max(shape.width // 2 - 4, 3), " ")
        spans.append(Span(4, prompt, self.look.style("2")))
        start = spans[-1].end
        room = shape.width - start - 1
        text, caret = _window(menu.field.text, menu.field.caret, room)
        spans.append(Span(start, text, self.look.style("2" if session.in_list else "")))
        count = self._count(session)
        at = shape.width - cell_width(count)
        if at >= spans[-1].end + 2:
            spans.append(Span(at, count, self.look.style("2")))
        return tuple(spans), start + caret

    def _count(self, session: Session) -> str:
        if session.page is not None:
            return session.page.title
        menu = session.menu
        line = menu.current
        category = line.entry.row.category if isinstance(line, Item) else ""
        category = line.category if isinstance(line, Submenu) else category
        count = f"{menu.shown} of {len(menu.entries)}"
        return f"{count} {self.look.signs.dot} {category}" if category else count

    # The list

    def _body(self, session: Session, shape: Shape, *, pane: bool) -> list[Row]:
        menu = session.menu
        lines: list[Line | None] = [*menu.visible]
        lines += [None] * (shape.list_rows - len(lines))
        rows = [
            self._line(line, shape, picked=line is not None and menu.top + at == menu.at, in_list=session.in_list)
            for at, line in enumerate(lines[: shape.list_rows])
        ]
        known = self._pane(menu.current, shape) if pane else []
        if shape.beside:
            bar = Span(shape.list_width, self.look.signs.down, self.look.style("2"))
            known += [()] * (len(rows) - len(known))
            return [(*row, bar, *_moved(part, bar.end + 1)) for row, part in zip(rows, known, strict=True)]
        if shape.pane_rows:
            rows.append(self._rule(shape, -1, ""))
            rows += [_moved(part, 1) for part in known]
            rows += [()] * (shape.page_rows - len(rows))
        return rows

    def _pane(self, line: Line | None, shape: Shape) -> list[Row]:
        # What it reads of a type is imported behind the first picture.
        from topcook.cli.tab.pane import pane_rows

        return pane_rows(line, self.look, shape.pane_width - (0 if shape.beside else 2), shape.pane_rows)

    def _line(self, line: Line | None, shape: Shape, *, picked: bool, in_list: bool) -> Row:
        width, signs = shape.list_width - 1, self.look.signs
        mark = Span(1, signs.picked_list if in_list else signs.picked, self.look.style("1;36"))
        marked: Row = (mark,) if picked else ()
        bold = self.look.style("1") if picked else ""
        if isinstance(line, Heading):
            return (Span(2 if width > 2 else 0, cut(line.text, width - 2, signs.dots), self.look.style("2")),)  # noqa: PLR2004 - the mark's column
        if isinstance(line, Submenu):
            return (*marked, *self._submenu(line, width, bold))
        if isinstance(line, Item):
            return (*marked, *self._item(line, width, bold))
        return ()

    def _submenu(self, line: Submenu, width: int, bold: str) -> Row:
        label = cut(f"{line.category} {self.look.signs.submenu}", width - 3, self.look.signs.dots)
        broken = sum(each.look in _BROKEN for each in line.members)
        count = str(len(line.members)) + (f", {broken} broken" if broken else "")
        return self._with_note(Span(3, label, bold), count, self.look.style("31" if broken else "2"), width)

    def _item(self, line: Item, width: int, bold: str) -> Row:
        entry = line.entry
        glyph = Span(3, self.look.glyph(entry.look), self.look.colour(entry.look))
        faint = "" if line.fits else self.look.style("2")
        label = Span(5, cut(entry.row.label, width - 5, self.look.signs.dots), bold or faint)
        note, style = self._note(line)
        return (glyph, *self._with_note(label, note, style, width))

    def _note(self, line: Item) -> tuple[str, str]:
        """What is wrong with a type, else its category where no heading says it, else whether it is the default."""
        entry = line.entry
        edit = entry.record.edit
        if edit is not None:
            at = time.strftime("%H:%M", time.localtime(edit.serving_of))
            return f"edit broken, using {at}", self.look.colour("edit broken")
        if entry.look in _BROKEN:
            return entry.row.note, self.look.colour(entry.look)
        if entry.look == "needs houdini":
            return entry.row.note or self.look.word(entry.look), self.look.colour(entry.look)
        if entry.look != "ok":
            return f"{self.look.word(entry.look)}: {entry.row.note}", self.look.colour(entry.look)
        if line.foreign:
            return entry.row.category, self.look.style("2")
        return ("default" if entry.row.name.lower() == self.default else ""), self.look.style("2")

    def _with_note(self, label: Span, note: str, style: str, width: int) -> Row:
        """A note behind a label: in its column if it fits there, else as far left as the label lets it."""
        column = 3 + (width - 3) * 3 // 5
        note = note.replace("…", self.look.signs.dots)
        start = max(label.end + 2, min(column, width - cell_width(note)))
        shown = cut(note, width - start, self.look.signs.dots)
        return (label, Span(start, shown, style)) if shown else (label,)

    # Around it

    def _page(self, page: Page, shape: Shape) -> list[Row]:
        room = shape.page_rows
        rows = [coloured(line, 1, shape.width) for line in page.lines[page.top : page.top + room]]
        return rows + [()] * (room - len(rows))

    def _rule(self, shape: Shape, split: int, tee: str) -> Row:
        across = self.look.signs.across
        if 0 <= split < shape.width - 1:
            return (Span(1, across * (split - 1) + tee + across * (shape.width - split - 1), self.look.style("2")),)
        return (Span(1, across * (shape.width - 1), self.look.style("2")),)

    def _keys(self, session: Session, shape: Shape) -> Row:
        if session.message:
            return (Span(1, cut(session.message, shape.width - 1, self.look.signs.dots), self.look.style("33")),)
        spans: list[Span] = []
        column = 1
        for key, word in self._hints(session, shape):
            if column + cell_width(key) + 1 + cell_width(word) > shape.width:
                break
            spans.append(Span(column, key, self.look.style("1")))
            spans.append(Span(spans[-1].end + 1, word, self.look.style("2")))
            column = spans[-1].end + 2
        return tuple(spans)

    def _hints(self, session: Session, shape: Shape) -> Sequence[tuple[str, str]]:
        signs = self.look.signs
        if session.page is not None:
            more = len(session.page.lines) > shape.page_rows
            scroll = [("Up Down" if self.look.plain else "↑ ↓", "scroll")] if more else []
            return [*scroll, ("any key", "back to the menu"), ("e", "edit"), ("y", "copy TOML")]
        letters = [("e", "edit"), ("p", "problems"), ("y", "copy TOML")]
        if session.in_list:
            return [(signs.enter, "choose"), *letters, (signs.tab, "type again"), ("?", "help"), ("esc", "")]
        ways = [(signs.right, "submenu")] if isinstance(session.menu.current, Submenu) else []
        ways += [(signs.left, "back")] if session.menu.category and not session.menu.filtering else []
        then = [(f"{signs.tab} then e", "edit"), ("p", "problems"), ("y", "copy TOML")]
        return [(signs.enter, "choose"), *ways, ("?", "help"), *then, ("esc", "")]


def _moved(row: Row, columns: int) -> Row:
    return tuple(span._replace(column=span.column + columns) for span in row)


def _window(text: str, caret: int, room: int) -> tuple[str, int]:
    """As much of the text as there is room for, the caret in it; the caret's column."""
    start = 0
    while start < caret and cell_width(text[start:caret]) > room:
        start += 1
    return cut(text[start:], room, ""), cell_width(text[start:caret])
