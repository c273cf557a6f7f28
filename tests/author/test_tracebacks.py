"""What an author sees of an error in the middle of Topcook's own frames."""

from __future__ import annotations

import pytest

from topcook.author import traceback_text
from topcook.runtime.host import Host


class Unreadable(Exception):
    """Its text cannot be asked for."""

    def __str__(self) -> str:
        raise ValueError("never")


def author() -> None:
    raise Unreadable


def test_the_traceback_begins_with_the_authors_frame_and_survives_an_unreadable_text() -> None:
    with pytest.raises(Unreadable) as caught:
        author()
    text = traceback_text(caught.value)
    assert "in author" in text
    assert "Unreadable" in text


def test_an_error_of_our_own_keeps_its_frames() -> None:
    with pytest.raises(TypeError) as caught:
        Host()  # type: ignore[call-arg]
    assert "Traceback" in traceback_text(caught.value, "test_tracebacks.py")
