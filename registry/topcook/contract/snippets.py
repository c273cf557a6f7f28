"""Python snippets that stand in a network's parms, compiled so that their errors point at the network file."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from typing import TYPE_CHECKING, Any

from topcook.errors import Problem, ProblemsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType

    from topcook.model.node import Node

__all__ = ["Snippet", "snippet_of"]


class Snippet:
    """The text of a parm, with the file and line its first line stands on.

    ``place`` is ``None`` for a parm that was set from Python; its text is then quoted under a name of its own.
    """

    def __init__(self, text: str, what: str, place: tuple[str, int] | None = None) -> None:
        """Keep the text; ``what`` names it in errors (``node "a", parm "script"``)."""
        # An indented block is how a snippet looks best inside a network file.
        self.text = textwrap.dedent(text)
        self.what = what
        self.path, self.line = place or (f"<{what}>", 1)
        if place is None:
            lines = self.text.splitlines(keepends=True)
            linecache.cache[self.path] = (len(self.text), None, lines, self.path)

    def compile(self) -> CodeType:
        """The text as a module; raises ``ProblemsError`` with the place of a syntax error."""
        return self._compiled(self._parsed())

    def function(self, name: str, args: Sequence[str]) -> Callable[..., Any]:
        """The text as the body of a function, ``return`` included; its global names are its own.

        Raises ``ProblemsError`` with the place of a syntax error.
        """
        # The body is grafted into the syntax tree: no line moves, and no string in it is indented.
        module = ast.parse(f"def {name}({', '.join(args)}): pass", self.path)
        function = module.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101 - it was parsed from the line above
        function.body = self._parsed().body or function.body
        scope: dict[str, Any] = {"__name__": "__snippet__", "__file__": self.path}
        exec(self._compiled(module), scope)  # noqa: S102 - running the network's Python is the point
        made: Callable[..., Any] = scope[name]
        if inspect.isgeneratorfunction(made):
            raise self._refused(
                "snippet-yield",
                '"yield" stands outside a function',
                self.line,
                None,
                'use "return", or a function of its own',
            )
        return made

    def _parsed(self) -> ast.Module:
        try:
            module = ast.parse(self.text, self.path)
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
        text = (getattr(error, "text", None) or "").strip()
        return self._refused(
            "snippet-syntax",
            getattr(error, "msg", str(error)),
            line,
            getattr(error, "offset", None),
            f"found: {text}" if text else None,
        )

    def _refused(self, code: str, said: str, line: int, column: int | None, hint: str | None) -> ProblemsError:
        return ProblemsError([Problem(code, f"{self.what}: {said}", self.path, line, column, hint)])


def snippet_of(node: Node, parm: str) -> Snippet:
    """The snippet that stands in a parm of ``node``."""
    found = node.parms.get(parm)
    text = str(found.at(0)) if found is not None else ""
    return Snippet(text, f'node "{node.name}", parm "{parm}"', _place(node, parm, text.rstrip().count("\n")))


def _place(node: Node, parm: str, last: int) -> tuple[str, int] | None:
    """Where the text stands, if its lines are lines of the file (a one-line string may hold escaped line ends)."""
    if node.places is None:
        return None
    first, end = node.places(parm, 0), node.places(parm, last)
    return first if first and end and end[1] - first[1] == last else None
