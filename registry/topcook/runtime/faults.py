"""What went wrong in author code, told with the author's own file and line."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from topcook.contract.secrets import redact
from topcook.factory.imports import quote_what_ran

if TYPE_CHECKING:
    from types import TracebackType

_OURS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_STDLIB = os.path.dirname(os.__file__)
_NOT_AUTHORS = (_OURS, _STDLIB, "<frozen")


def describe(error: BaseException) -> str:
    """``ValueError: text at farm.py:12``: the kind, the text, and the last line that is the author's."""
    place = place_of(error.__traceback__)
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - an author's __str__ may raise too, and must not hide the error
        text = "(its text cannot be read: __str__ raises)"
    text = redact(text)
    head = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{head}\n    at {place}" if place else head


def place_of(trace: TracebackType | None) -> str:
    """``path:line`` of the innermost frame that is neither ours nor the standard library's, empty if there is none."""
    place = ""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith(_NOT_AUTHORS):
            place = f"{path}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def full_text(error: BaseException) -> str:
    """The whole traceback, for a log."""
    quote_what_ran(error.__traceback__)
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001 - formatting calls the author's __str__
        return "".join(traceback.format_tb(error.__traceback__)) + f"{type(error).__name__} (unprintable)\n"


def stack_of(thread: int | None) -> str:
    """Where a thread stands now, from the author's code on, innermost line last; ``thread`` is its identifier."""
    frame = sys._current_frames().get(thread or 0)  # noqa: SLF001 - the documented way to see a thread
    if frame is None:
        return "(no stack)\n"
    stack = traceback.extract_stack(frame)
    authors = (number for number, each in enumerate(stack) if not each.filename.startswith(_NOT_AUTHORS))
    return "".join(traceback.format_list(stack[next(authors, 0) :]))
