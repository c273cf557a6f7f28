"""What went wrong while a node made its items, as problems that point at the author's line."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from topcook.errors import CallbackError, CookError, ExpressionError, Problem, ProblemsError, TopcookError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from topcook.model.node import Node

__all__ = ["MOST", "RefusedError", "as_problems", "capped", "defined_at", "parm_problem"]

#: How many problems of one generation call are told one by one.
MOST = 20


class RefusedError(Exception):
    """A generation call failed, for these problems; never leaves generation."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems."""
        super().__init__()
        self.problems = problems


# Frames of ours are no help to an author: the last frame outside says where the mistake is.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_EMBEDDED = os.path.join(_OURS, "_builtin_types") + os.sep


def as_problems(node: Node, callback: str, error: BaseException) -> list[Problem]:
    """What ``error``, raised while ``callback`` of ``node`` ran, says to the author; places as far as known."""
    if isinstance(error, ProblemsError):
        return error.problems
    path, line, column = author_place(error.__traceback__)
    hint = "the items of this call were discarded"
    if isinstance(error, CookError | ExpressionError | CallbackError) or (
        isinstance(error, TopcookError) and path is None
    ):
        said = str(error) or "it raised CookError without a message"
        return [Problem("generation", f'node "{node.name}": {said}', path, line, column)]
    text = "".join(traceback.format_exception_only(error)).strip()
    return [Problem("generation", f'node "{node.name}": "{callback}" raised {text}', path, line, column, hint)]


def author_place(trace: TracebackType | None) -> tuple[str | None, int | None, int | None]:
    """Path, line and column of the innermost frame that is not Topcook's own; each ``None`` where unknown."""
    for frame in reversed(traceback.extract_tb(trace)):
        if not frame.filename.startswith(_OURS) or frame.filename.startswith(_EMBEDDED):
            column = getattr(frame, "colno", None)
            return frame.filename, frame.lineno, None if column is None else column + 1
    return None, None, None


def defined_at(callback: Callable[..., Any]) -> str:
    """``path:line`` of a callback, empty where it is not written in Python."""
    code = getattr(callback, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def parm_problem(node: Node, parm: str, said: str, code: str = "expression") -> Problem:
    """A problem with what a parm says, at its line of the network file."""
    path, line = (node.places(parm, 0) if node.places is not None else None) or (None, None)
    return Problem(code, f'node "{node.name}", parm "{parm}": {said}', path, line)


def capped(problems: list[Problem]) -> list[Problem]:
    """The first problems, and how many more there are."""
    if len(problems) <= MOST:
        return problems
    first = problems[0]
    return [*problems[:MOST], Problem("more", f"and {len(problems) - MOST} more like these", first.path, first.line)]
