"""``topcook check --explain CODE``: what a problem means, and an example of its remedy."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator

import click

from topcook.cli.guard import COOKED, UNCOOKED
from topcook.contract.tolerated import TOLERATED
from topcook.model.problemcodes import CODES, Code

_WIDTH = 78


def show_explanation(code: str) -> int:
    """Print the row of a code; of one that there is not, the closest. Answers the exit status."""
    row = CODES.get(code.strip().lower().removeprefix("error[").removeprefix("warning[").rstrip("]:"))
    if row is None:
        close = difflib.get_close_matches(code.lower(), CODES, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else "they are listed in docs/problems.md"
        click.echo(f'there is no problem with the code "{code}"\n    {hint}', err=True)
        return UNCOOKED
    click.echo("\n".join(_lines(row)))
    return COOKED


def _lines(row: Code) -> Iterator[str]:
    tolerated = row.code in TOLERATED
    level = click.style(
        f"{'warning' if tolerated else 'error'}[{row.code}]", fg="yellow" if tolerated else "red", bold=True
    )
    yield f"{level}: {row.title}"
    yield ""
    yield from textwrap.wrap(row.text, _WIDTH)
    if tolerated:
        yield "The type can be chosen all the same."
    for word, colour, piece in (("instead of", "red", row.wrong), ("write", "green", row.right)):
        if piece:
            yield ""
            yield f"{word}:"
            yield from (f"    {click.style(line, fg=colour)}" if line else "" for line in piece.splitlines())
