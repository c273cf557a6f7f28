"""Problems and errors as a good compiler prints them: place, message, the line itself, what to do about it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import TextIO

import click

from topcook.errors import Problem, ProblemsError

_WORD = re.compile(r"[\w.@$-]+|\"[^\"]*\"|'[^']*'|\S")
_TAB = 4
#: How many characters of a line are shown at most, around the place.
_WIDEST = 160


def print_error(error: Exception | str, stream: TextIO | None = None) -> None:
    """Print an error to stderr; of one that carries problems, all of them."""
    stream = stream or sys.stderr
    mark = click.style("error:", fg="red", bold=True)
    if isinstance(error, ProblemsError) and error.problems:
        lines = [problem_text(problem) for problem in error.problems]
        lines += [f"{mark} {error.summary}"] if error.summary else []
    else:
        lines = [f"{mark} {_masked(str(error)) or type(error).__name__}"]
    click.echo("\n".join(lines), file=stream, color=wants_colour(stream))


def wants_colour(stream: TextIO) -> bool:
    """Whether what is written there may be coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def problem_text(problem: Problem, *, level: str = "error") -> str:
    """One problem: ``path:line:column: error: message``, the line with the place underlined, the hint."""
    place = click.style(f"{problem.place}: ", bold=True) if problem.path else ""
    colour = "red" if level == "error" else "yellow"
    first, _, rest = _masked(problem.message).partition("\n")
    lines = [f"{place}{click.style(f'{level}:', fg=colour, bold=True)} {first}"]
    lines += [f"    {line.strip()}" for line in rest.splitlines()]
    lines += excerpt(problem)
    lines += [f"    {click.style(line.strip(), fg='cyan')}" for line in (problem.hint or "").splitlines()]
    return "\n".join(lines)


def _masked(text: str) -> str:
    """Without the secrets that were read; nothing was, where the module that reads them is not loaded."""
    secrets = sys.modules.get("topcook.contract.secrets")
    return str(secrets.redact(text)) if secrets is not None else text


def excerpt(problem: Problem) -> list[str]:
    """The problem's line of its file with the place underlined; nothing where there is no such line."""
    if not problem.path or not problem.line or problem.code == "plain-secret":
        return []
    lines = _lines(problem.path)
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return []
    text = lines[problem.line - 1]
    start, length = _extent(text, problem.column)
    if len(text) > _WIDEST:
        # A generated file may be all one line.
        first = max(0, start - _WIDEST // 2)
        cut = text[first : first + _WIDEST]
        text = f"{'…' if first else ''}{cut}{'…' if first + _WIDEST < len(text) else ''}"
        start += (1 if first else 0) - first
        length = min(length, _WIDEST // 2)
    before = text[:start].expandtabs(_TAB)
    width = len(text[: start + length].expandtabs(_TAB)) - len(before)
    number = str(problem.line)
    rule = click.style("|", dim=True)
    mark = click.style("^" * max(width, 1), fg="red", bold=True)
    return [f"  {number} {rule} {text.expandtabs(_TAB)}", f"  {' ' * len(number)} {rule} {' ' * len(before)}{mark}"]


def _extent(text: str, column: int | None) -> tuple[int, int]:
    """Where the underline starts (from 0) and how long it is: the word at the column, else the whole line."""
    if column is None or column > len(text):
        start = len(text) - len(text.lstrip())
        return start, len(text.strip())
    word = _WORD.match(text, column - 1)
    return column - 1, len(word.group()) if word else 1


@lru_cache(maxsize=8)
def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().split("\n")
    except (OSError, ValueError):
        return []


def counted(number: int, noun: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_problems(problems: Iterable[Problem], *, level: str = "error") -> None:
    """Print problems to stdout, where they are a command's result."""
    for problem in problems:
        click.echo(problem_text(problem, level=level))
