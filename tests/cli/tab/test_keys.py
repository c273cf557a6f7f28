"""From what terminals send to keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.keys import Decoder, Press


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (b"sch", [Press("text", each) for each in "sch"]),
        ("ös".encode(), [Press("text", each) for each in "ös"]),
        (b"\x1b[A\x1bOB\x1b[1;5C\x1b[D", [Press("up"), Press("down"), Press("right"), Press("left")]),
        (
            b"\x1b[3~\x1b[5~\x1b[6~\x1b[H\x1b[4~",
            [Press(each) for each in ("delete", "pageup", "pagedown", "home", "end")],
        ),
        (b"\r\n\x7f\x08\t", [Press(each) for each in ("enter", "enter", "backspace", "backspace", "tab")]),
        (
            b"\x03\x04\x15\x17\x0e\x10\x1a",
            [Press(e) for e in ("ctrl-c", "ctrl-d", "ctrl-u", "ctrl-w", "down", "up", "ctrl-z")],
        ),
        (b"\x1be\x1bP", [Press("alt-e"), Press("alt-p")]),
        (b"\x1b\x1b[A", [Press("esc"), Press("up")]),
        (b"\x1b[200~a\x1b[Ab\rc\x1b[201~d", [Press("paste", "a\x1b[Ab\rc"), Press("text", "d")]),
        (b"\x1b[<0;1;1M\x1b[<0;1;1m\x1b[?62;A\x00\x1ca\x1bOM", [Press("text", "a"), Press("enter")]),
    ],
)
def test_what_is_sent_becomes_keys_in_whatever_pieces_it_comes(sent: bytes, keys: list[Press]) -> None:
    assert Decoder().feed(sent) == keys
    decoder = Decoder()
    found = [press for at in range(len(sent)) for press in decoder.feed(sent[at : at + 1])]
    assert found == keys


def test_an_escape_is_a_key_once_nothing_follows() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.waiting
    assert decoder.settle() == [Press("esc")]
    assert not decoder.waiting


def test_pasted_text_presses_nothing_until_its_end_has_come() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b[200~\x03\x1b") == []
    assert not decoder.waiting
    assert decoder.feed(b"[201~\x03") == [Press("paste", "\x03"), Press("ctrl-c")]


@given(st.lists(st.binary(max_size=8)))
def test_no_bytes_break_it_and_text_is_what_can_be_shown(pieces: list[bytes]) -> None:
    decoder = Decoder()
    for piece in pieces:
        for press in [*decoder.feed(piece), *(decoder.settle() if decoder.waiting else [])]:
            assert press.name
            assert press.name == "paste" or press.text.isprintable()
