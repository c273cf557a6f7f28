"""Problems and errors as a good compiler prints them: what, where, the line itself, what to type.

Everything that Topcook prints about what somebody wrote goes through here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TextIO

import click

from topcook.errors import Problem, ProblemsError
from topcook.lean import pattern
from topcook.model.cells import cell_width, printable

__all__ = ["counted", "level_of", "print_error", "print_problems", "problem_text", "wants_colour"]

_COLOURS = {"error": "red", "warning": "yellow"}
#: The part of a message that stands at the carets, where the line is shown.
_LABEL = pattern(r"[;,] (?=(?:found|expected) )")
#: How wide it may get where there is no terminal to ask.
_WIDEST = 160

#: The bytes that were checked, by path: what is on disk may be newer.
Contents = Mapping[str, bytes]


def print_error(error: Exception | str, stream: TextIO | None = None) -> None:
    """Print an error to stderr; of one that carries problems, all of them."""
    stream = stream or sys.stderr
    mark = click.style("error:", fg="red", bold=True)
    if isinstance(error, ProblemsError) and error.problems:
        lines = [problem_text(problem, stream=stream) + "\n" for problem in error.problems]
        lines += [f"{mark} {printable(error.summary)}"] if error.summary else []
        text = "\n".join(lines).rstrip("\n")
    else:
        first, *rest = _masked(str(error)).splitlines() or [type(error).__name__]
        text = "\n".join([f"{mark} {printable(first)}", *map(_plain, rest)])
    click.echo(text, file=stream, color=wants_colour(stream))


def print_problems(
    problems: Iterable[Problem], *, contents: Contents | None = None, stream: TextIO | None = None
) -> None:
    """Print problems, an empty line after each; to stdout, where they are a command's result."""
    stream = stream or sys.stdout
    for problem in problems:
        click.echo(problem_text(problem, contents=contents, stream=stream) + "\n", file=stream)


def wants_colour(stream: TextIO) -> bool:
    """Whether what is written there may be coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def level_of(problem: Problem) -> str:
    """``error`` for what keeps a type from being used, ``warning`` for what it lives with."""
    from topcook.contract.tolerated import TOLERATED

    return "warning" if problem.code in TOLERATED else "error"


def problem_text(
    problem: Problem,
    *,
    level: str = "",
    contents: Contents | None = None,
    stream: TextIO | None = None,
    width: int = 0,
) -> str:
    """One problem, styled: ``error[code]: message``, the place, the line with the place underlined, ``help:``.

    ``contents`` are the texts that were checked; a path that is not among them is read. Lines are cut to the
    width of the terminal behind ``stream``, unless ``width`` says another.
    """
    level = level or level_of(problem)
    colour = _COLOURS[level]
    text = _quotable(problem, contents or {})
    first, _, rest = _masked(problem.message).partition("\n")
    headline, *labels = _LABEL.split(first) if text is not None else [first]
    code = f"[{printable(problem.code)}]" if problem.code else ""
    mark = level + code
    head, *more = _folded(f"{mark}: {printable(headline)}", width or _terminal_width(stream))
    lines = [f"{click.style(mark, fg=colour, bold=True)}{click.style(head.removeprefix(mark), bold=True)}"]
    lines += [click.style(line, bold=True) for line in more]
    lines += [f"    {_plain(line).strip()}" for line in rest.splitlines()]
    margin = len(str(problem.line)) if text is not None else 1
    if problem.path:
        lines.append(f"{' ' * margin}{click.style('-->', fg='blue', bold=True)} {printable(problem.place)}")
    if text is not None and problem.line is not None:
        said = tuple(printable(each) for each in labels)
        from topcook.cli.excerpt import Quoted, quoted_lines

        quoted = Quoted(text, problem.line, problem.column, problem.end_column, said)
        lines += quoted_lines(quoted, colour=colour, width=width or _width(stream))
    hints = _masked(problem.hint or "").splitlines()
    lines += [f"{click.style('help:', fg='cyan', bold=True)} {_plain(hints[0]).strip()}"] if hints else []
    lines += [f"      {_plain(line).strip()}" for line in hints[1:]]
    return "\n".join(lines)


def counted(number: int, noun: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(line: str) -> str:
    return printable(line.expandtabs())


def _masked(text: str) -> str:
    """Without the secrets that were read; nothing was, where the module that reads them is not loaded."""
    secrets = sys.modules.get("topcook.contract.secrets")
    return str(secrets.redact(text)) if secrets is not None else text


def _folded(text: str, width: int) -> list[str]:
    """The lines of a sentence, folded between words; help stays on one line, because it holds what is copied."""
    if not width or cell_width(text) <= width:
        return [text]
    import textwrap

    return textwrap.wrap(text, max(width, 40), subsequent_indent="    ", break_on_hyphens=False)


def _width(stream: TextIO | None) -> int:
    return _terminal_width(stream) or _WIDEST


def _terminal_width(stream: TextIO | None) -> int:
    """The width of the terminal behind a stream; 0 where there is none, and a sentence stays on one line."""
    if stream is None or not stream.isatty():
        return 0
    import shutil

    return shutil.get_terminal_size((80, 24)).columns


def _quotable(problem: Problem, contents: Contents) -> str | None:
    """The problem's line of its file; None where there is no such line, or nobody may see it."""
    if not problem.path or not problem.line or problem.code == "plain-secret":
        return None
    content = contents.get(problem.path)
    from topcook.cli.excerpt import source_lines

    lines = _lines_on_disk(problem.path) if content is None else source_lines(content)
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return None
    return _masked(lines[problem.line - 1])


@lru_cache(maxsize=8)
def _lines_on_disk(path: str) -> list[str]:
    from topcook.cli.excerpt import source_lines

    if not os.path.isfile(path):
        return []
    try:
        with open(path, "rb") as stream:
            return source_lines(stream.read())
    except (OSError, ValueError):
        return []
