"""A moment at which one thread's tree is in the making and another thread makes one."""

from __future__ import annotations

import ast
import contextlib
import gc
import sys
from collections.abc import Iterator

__all__ = ["parsed_meanwhile"]


@contextlib.contextmanager
def parsed_meanwhile(times: int = 2) -> Iterator[None]:
    """While so many next trees are made the collector comes, and something that it ends makes one, too."""
    left = [times]

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "start" and left[0] and sys._getframe(1).f_code.co_filename == ast.__file__:
            left[0] -= 1
            ast.parse("1")

    before = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(collected)
