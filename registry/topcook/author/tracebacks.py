"""Tracebacks of author code, without the frames that are no business of an author."""

from __future__ import annotations

import os
import traceback

_TOPCOOK = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def traceback_text(error: BaseException, *without: str) -> str:
    """The traceback of ``error`` from the first frame that is neither Topcook's nor of a file in ``without``.

    An error that was raised in Topcook itself keeps all of its frames.
    """
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith(_TOPCOOK) and os.path.basename(path) not in without:
            break
        trace = trace.tb_next
    start = trace or error.__traceback__
    try:
        return "".join(traceback.format_exception(type(error), error, start))
    except BaseException:  # noqa: BLE001 - formatting calls the author's __str__, which may raise anything
        return "".join(traceback.format_tb(start)) + f"{type(error).__name__} (its text cannot be read)\n"
