"""Pictures, and what makes a terminal show them."""

from __future__ import annotations

import re

import click
import pyte
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.frame import Frame, Span, coloured, drawn, erased, plain_text, wrapped
from topcook.model.cells import cell_width


def shown(screen: pyte.Screen) -> list[str]:
    return [line.rstrip() for line in screen.display]


_ROWS = st.lists(st.text("ab │", max_size=10).map(lambda text: (Span(0, text),)), min_size=1, max_size=6)


@given(st.lists(_ROWS, min_size=1, max_size=5), st.integers(0, 7))
def test_each_picture_replaces_the_one_before_and_nothing_else(
    pictures: list[list[tuple[Span, ...]]], above: int
) -> None:
    screen = pyte.HistoryScreen(12, 8, history=50)
    stream = pyte.Stream(screen)
    stream.feed("".join(f"old {number}\r\n" for number in range(above)))
    before = None
    for rows in pictures:
        frame = Frame(tuple(rows), (0, 1))
        stream.feed(drawn(frame, before))
        top = screen.cursor.y
        assert shown(screen)[top : top + len(rows)] == [plain_text(row).rstrip() for row in rows]
        assert not any(shown(screen)[top + len(rows) :])
        assert screen.cursor.x == 1
        before = frame
    assert before is not None
    stream.feed(erased(before))
    kept = ["".join(line[x].data for x in range(12)).rstrip() for line in screen.history.top] + shown(screen)
    assert [line for line in kept if line] == [f"old {number}" for number in range(above)]


def test_colours_are_kept_and_what_steers_a_terminal_is_not() -> None:
    line = f"{click.style('error', fg='red', bold=True)}: \x1b[2Jgone\x1b]0;title\x07"
    row = coloured(line, 1, 60)
    assert [span.style for span in row] == ["31;1", ""]
    assert plain_text(row) == r" error: \x1b[2Jgone\x1b]0;title\x07"


@given(st.lists(st.tuples(st.text("ab 農,", max_size=12), st.booleans()), max_size=6), st.integers(12, 40))
def test_a_wrapped_line_is_nowhere_too_wide_and_loses_no_letter_and_no_colour(
    parts: list[tuple[str, bool]], width: int
) -> None:
    text = "".join(click.style(part, fg="red") if red else part for part, red in parts)
    lines = wrapped(text, width)
    assert all(cell_width(click.unstyle(line)) <= width for line in lines)
    assert "".join(map(click.unstyle, lines)).replace(" ", "") == click.unstyle(text).replace(" ", "")
    reds = ["".join(re.findall("\x1b\\[31m([^\x1b]*)", each)).replace(" ", "") for each in ("".join(lines), text)]
    assert reds[0] == reds[1]
