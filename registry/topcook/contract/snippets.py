"""Python snippets that stand in a network's parms, compiled so that their errors point at the network file."""

from __future__ import annotations

import ast
import inspect
import linecache
from typing import TYPE_CHECKING, Any

from topcook.contract.parsing import parse
from topcook.errors import Problem, ProblemsError
from topcook.lean import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from topcook.model.node import Node

__all__ = ["Snippet", "dedented", "filled_blocks", "place_in", "snippet_of"]

#: How Python says that a block has nothing in it, and which line opened the block.
_EMPTY_BLOCK = pattern(r"expected an indented block after .* on line (\d+)")


class Snippet:
    """The text of a parm, with the file and line its first line stands on.

    ``place`` is ``None`` for a parm that was set from Python; its text is then quoted under a name of its own.
    """

    def __init__(self, text: str, what: str, place: tuple[str, int] | None = None) -> None:
        """Keep the text; ``what`` names it in errors (``node "a", parm "script"``)."""
        self.text, self._margin = dedented(text)
        self.what = what
        self.path, self.line = place or (f"<{what}>", 1)
        if place is None:
            lines = self.text.splitlines(keepends=True)
            linecache.cache[self.path] = (len(self.text), None, lines, self.path)

    def compile(self) -> CodeType:
        """The text as a module; raises ``ProblemsError`` with the place of a syntax error."""
        return self._compiled(self.syntax())

    def function(
        self, name: str, args: Sequence[str], scope: dict[str, Any] | None = None, of: type | None = None
    ) -> Callable[..., Any]:
        """The text as the body of a function, ``return`` included.

        Its global names are those of ``scope``, without one its own. ``super()`` in it starts at the class ``of``.
        Raises ``ProblemsError`` with the place of a syntax error.
        """
        # The body is grafted into the syntax tree: no line moves, and no string in it is indented. ``super()`` reads
        # the variable __class__ around its function.
        module = parse(f"def __made__(__class__):\n def {name}({', '.join(args)}): pass\n return {name}", self.path)
        outer = module.body[0]
        assert isinstance(outer, ast.FunctionDef)  # noqa: S101 - it was parsed from the line above
        function = outer.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - as above
        function.body = self.syntax().body or function.body
        scope = {"__name__": "__snippet__", "__file__": self.path} if scope is None else scope
        exec(self._compiled(module), scope)  # noqa: S102 - running the network's Python is the point
        made: Callable[..., Any] = scope.pop("__made__")(of)
        if inspect.isgeneratorfunction(made):
            raise self._refused(
                "snippet-yield",
                '"yield" stands outside a function',
                self.line,
                None,
                'use "return", or a function of its own',
            )
        return made

    def syntax(self) -> ast.Module:
        """The text's syntax with the file's line numbers; raises ``ProblemsError`` with the place of a mistake."""
        try:
            module: ast.Module = parse(self.text, self.path)
        except (SyntaxError, ValueError) as error:
            raise self._syntax(error, self.line - 1) from None
        return ast.increment_lineno(module, self.line - 1)

    def _compiled(self, module: ast.Module) -> CodeType:
        try:
            return compile(module, self.path, "exec")
        except (SyntaxError, ValueError) as error:
            raise self._syntax(error, 0) from None

    def _syntax(self, error: SyntaxError | ValueError, offset: int) -> ProblemsError:
        line = (getattr(error, "lineno", None) or (1 if offset else self.line)) + offset
        column = getattr(error, "offset", None)
        text = (getattr(error, "text", None) or "").strip()
        return self._refused(
            "snippet-syntax",
            getattr(error, "msg", str(error)),
            line,
            column + self._margin if column else None,
            f"found: {text}" if text else None,
        )

    def _refused(self, code: str, said: str, line: int, column: int | None, hint: str | None) -> ProblemsError:
        return ProblemsError([Problem(code, f"{self.what}: {said}", self.path, line, column, hint)])


def snippet_of(node: Node, parm: str) -> Snippet:
    """The snippet that stands in a parm of ``node``."""
    found = node.parms.get(parm)
    text = str(found.at(0)) if found is not None else ""
    return Snippet(text, f'node "{node.name}", parm "{parm}"', place_in(node.places, parm, text))


def place_in(
    places: Callable[[str, int], tuple[str, int] | None] | None, parm: str, text: str
) -> tuple[str, int] | None:
    """Where the text stands, if its lines are lines of the file (a one-line string may hold escaped line ends)."""
    if places is None:
        return None
    last = text.rstrip().count("\n")
    first, end = places(parm, 0), places(parm, last)
    return first if first and end and end[1] - first[1] == last else None


def dedented(text: str) -> tuple[str, int]:
    """A body moved to the left margin, and by how many columns: an indented block looks best inside a network file.

    What a text of several lines in it has at its left is kept where it is less than the body's own indent.
    """
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    margin = _indent(first)
    if not margin:
        return text, 0
    return "".join(line.removeprefix(margin) for line in text.splitlines(keepends=True)), len(margin)


def filled_blocks(text: str) -> str:
    """``text`` with a ``pass`` before the comment of each block that holds nothing but comments.

    Houdini's help shows such a block (``else:`` and a comment); no line moves. Other mistakes stay as they are.
    """
    text = dedented(text)[0]
    for _ in range(text.count("\n") + 1):
        try:
            parse(text)
        except IndentationError as error:
            empty = _EMPTY_BLOCK.match(error.msg)
            filled = _filled(text, int(empty.group(1)), error.lineno or 0) if empty else None
            if filled is None:
                return text
            text = filled
        except (SyntaxError, ValueError):
            return text
        else:
            return text
    return text


def _filled(text: str, opened: int, noticed: int) -> str | None:
    """The block that line ``opened`` opens, its last comment before line ``noticed`` made a statement."""
    lines = text.splitlines(keepends=True)
    indent = _indent(lines[opened - 1])
    # At the end of the text Python notices it in the line that opened the block.
    end = min(noticed, len(lines)) if noticed > opened else len(lines)
    for number in reversed(range(opened, end)):
        line = lines[number]
        mine = _indent(line)
        if line.lstrip().startswith("#") and len(mine.expandtabs()) > len(indent.expandtabs()):
            lines[number] = f"{mine}pass  {line.lstrip()}"
            return "".join(lines)
    return None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
