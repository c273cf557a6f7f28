from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.model import cells
from topcook.model.cells import cell_width, cut, padded, printable


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = printable(text)
    assert all(each.isprintable() or each == "\u200d" for each in shown)
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Farm", "Farm"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("one\r\n\ttwo", "one   two"),
        ("\u202edoog", r"\u202edoog"),
        ("\udcff", r"\udcff"),
        ("ферма 農場", "ферма 農場"),
    ],
)
def test_what_is_written_out_can_still_be_recognised(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_wide_and_combining_characters_count_as_a_terminal_counts_them() -> None:
    assert [cell_width(text) for text in ("farm", "農場", "e\u0301", "🎬")] == [4, 4, 1, 2]


def test_what_is_known_without_the_tables_is_what_they_say() -> None:
    known = [
        chr(code) for code in range(0x20, 0x3000) if cells._NARROW.fullmatch(chr(code)) and chr(code).isprintable()
    ]
    assert len(known) > 1000
    assert {cells._cells(each) for each in known} == {1}
    assert all(cells._NARROW.fullmatch(each) for each in "▌●◐◌○✗◍⊘▸─│┬┴◆…·⏎→←⇥█")


@given(st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"])), st.integers(0, 40))
def test_a_cut_text_never_takes_more_cells_than_there_are(text: str, width: int) -> None:
    short = cut(text, width)
    assert cell_width(short) <= width
    assert short == text or short.endswith("…") or not short
    assert cell_width(padded(short, width)) == width
