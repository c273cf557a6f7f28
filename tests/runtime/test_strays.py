"""What threads print goes to where they say; everything else stays as it was."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from topcook.runtime import strays


@contextmanager
def routed() -> Iterator[None]:
    # Within a test only: pytest puts its own streams in place before each.
    strays.install()
    try:
        yield
    finally:
        strays.uninstall()


def apart(work: object) -> list[str]:
    """What a thread prints that has its prints go to a list."""
    said: list[str] = []

    def run() -> None:
        strays.speak_through(said.append)
        work()  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return said


def test_only_the_thread_that_asked_for_it_speaks_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with routed():
        said = apart(lambda: (print("over there"), sys.stderr.write("and there")))
        print("here")
    assert "".join(said) == "over there\nand there"
    assert capsys.readouterr() == ("here\n", "")


def test_bytes_and_lines_are_taken_and_what_is_no_text_is_refused() -> None:
    def work() -> None:
        sys.stdout.buffer.write(b"bytes \xff")
        sys.stdout.writelines(["a", "b"])
        sys.stdout.flush()
        assert not sys.stdout.isatty()
        assert sys.stdout.writable()
        with pytest.raises(TypeError):
            sys.stdout.write(b"no text")  # type: ignore[arg-type]

    with routed():
        assert "".join(apart(work)) == "bytes \\xffab"


def test_logging_of_such_a_thread_goes_there_and_what_cannot_be_formatted_hurts_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)

    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no")

    def work() -> None:
        logging.getLogger("a.b").error("went %s", "wrong")
        logging.getLogger("a.b").error("%s", Unprintable())

    with routed(), pytest.MonkeyPatch.context() as patch:
        # pytest's own handlers would raise for what cannot be formatted.
        patch.setattr(logging.getLogger(), "handlers", [strays._handler])
        assert apart(work) == ["ERROR a.b: went wrong\n"]


def test_warnings_of_other_threads_are_shown_as_without_us(capsys: pytest.CaptureFixture[str]) -> None:
    with routed(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger(), "handlers", [strays._handler])
        logging.getLogger("somebody").warning("the disk is full")
        logging.getLogger("somebody").info("not shown")
    assert capsys.readouterr().err == "the disk is full\n"


def test_installing_counts_and_leaves_everything_as_it_was() -> None:
    before = sys.stdout, sys.stderr, list(logging.getLogger().handlers)
    strays.install()
    strays.install()
    assert sys.stdout is not before[0]
    strays.uninstall()
    assert sys.stdout is not before[0]
    strays.uninstall()
    assert (sys.stdout, sys.stderr, list(logging.getLogger().handlers)) == before
