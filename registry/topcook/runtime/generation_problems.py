"""What went wrong while a node made its items, as problems that point at the author's line."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from topcook.errors import CallbackError, CookError, ExpressionError, Problem, ProblemsError, TopcookError
from topcook.factory.typespath import builtin_types_dir
from topcook.lean import pattern, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any

    from topcook.model.node import Node

__all__ = ["MOST", "Mistakes", "RefusedError", "as_problems", "capped", "defined_at", "parm_place", "parm_problem"]

#: How many problems of one generation call are told one by one.
MOST = 20


class RefusedError(Exception):
    """A generation call failed, for these problems; never leaves generation."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems."""
        super().__init__()
        self.problems = problems


# Frames of ours and of the standard library are no help to an author: the last one outside says where the mistake is.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_BUILTIN = builtin_types_dir() + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = ("site-packages", "dist-packages")
_QUOTED = pattern(r'"(\w+)"')


def as_problems(node: Node, callback: str, error: BaseException) -> list[Problem]:
    """What ``error``, raised while ``callback`` of ``node`` ran, says to the author; places as far as known."""
    if isinstance(error, ProblemsError):
        return error.problems
    path, line, column = author_place(error.__traceback__)
    told = isinstance(error, CookError | ExpressionError | CallbackError)
    if told or (isinstance(error, TopcookError) and path is None):
        said = str(error) or "it raised CookError without a message"
        if path is None or path.startswith(_BUILTIN):
            # What a built-in type refuses is a mistake in the network, not in the type's file.
            path, line, column = (*parm_place(node, _QUOTED.findall(said)), None)
        return [Problem("generation", f'node "{node.name}": {said}', path, line, column)]
    hint = "the items of this call were discarded"
    text = "".join(traceback.format_exception_only(error)).strip()
    return [Problem("generation", f'node "{node.name}": "{callback}" raised {text}', path, line, column, hint)]


def author_place(trace: TracebackType | None) -> tuple[str | None, int | None, int | None]:
    """Path, line and column of the innermost frame that an author wrote; each ``None`` where there is none."""
    for frame in reversed(traceback.extract_tb(trace)):
        if _is_author_s(frame.filename):
            column = getattr(frame, "colno", None)
            return frame.filename, frame.lineno, None if column is None else column + 1
    return None, None, None


def _is_author_s(path: str) -> bool:
    if path.startswith(_OURS) and not path.startswith(_BUILTIN):
        return False
    if path.startswith(_STDLIB) and not any(folder in path for folder in _INSTALLED):
        return False
    return not path.startswith("<frozen ")


def defined_at(callback: Callable[..., Any]) -> str:
    """``path:line`` of a callback, empty where it is not written in Python."""
    code = getattr(callback, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def parm_place(node: Node, names: Sequence[str]) -> tuple[str | None, int | None]:
    """Path and line of the first of these parms that the network sets, else of what is nearest to the node's parms."""
    given = [name for name in names if (parm := node.parms.get(name)) is not None and parm.is_set]
    found = node.places((given or [""])[0], 0) if node.places is not None else None
    return found or (None, None)


def parm_problem(node: Node, parm: str, said: str, text: str = "", source: str = "") -> Problem:
    """A problem with the expression in a parm, at the line of the network file where ``source`` stands in ``text``."""
    path, line = parm_place(node, [parm])
    above = text[: max(text.find(source), 0)].count("\n") if source else 0
    exact = node.places(parm, above) if above and node.places is not None else None
    if exact is not None:
        path, line = exact
    return Problem("expression", f'node "{node.name}", parm "{parm}": {said}', path, line)


class Mistakes:
    """Gathers the mistakes of many items' texts; what is the same for several items is told once."""

    def __init__(self, node: Node) -> None:
        """Start with none."""
        self._node = node
        self._first: dict[tuple[str, str, str], Problem] = {}
        self._more: dict[tuple[str, str, str], int] = {}

    def add(self, parm: str, text: str, error: ExpressionError) -> None:
        """Take what was wrong with one item's ``text`` in ``parm``."""
        key = (parm, text, error.source)
        if key in self._first:
            self._more[key] = self._more.get(key, 0) + 1
        else:
            self._first[key] = parm_problem(self._node, parm, str(error), text, error.source)

    def problems(self) -> list[Problem]:
        """One problem for each mistake, with how many more items it concerns."""
        return [self._counted(problem, self._more.get(key, 0)) for key, problem in self._first.items()]

    @staticmethod
    def _counted(problem: Problem, more: int) -> Problem:
        if not more:
            return problem
        first, newline, rest = problem.message.partition("\n")
        told = f"{first} (and so for {more} more work item{'s' if more > 1 else ''})"
        return replace(problem, message=told + newline + rest)


def capped(problems: list[Problem]) -> list[Problem]:
    """The first problems, and how many more there are."""
    if len(problems) <= MOST:
        return problems
    first = problems[0]
    return [*problems[:MOST], Problem("more", f"and {len(problems) - MOST} more like these", first.path, first.line)]
