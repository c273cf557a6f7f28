"""Write the pages of docs/ that are read off the code: the callbacks from their tables, the command line from click.

``python tools/render_docs.py`` writes them, ``--check`` only tells (exit status 1) which of them are out of date.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

DOCS = Path(__file__).parents[1] / "docs"
MADE = "<!-- Made by `make docs` from {source}: change it there. -->"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table; bars inside cells are escaped."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |"
    yield ""


def callbacks_page() -> Iterator[str]:
    """The scheduler's callbacks and the nodes', a row each, in the order of the tables."""
    from topcook.contract.callbacks import CALLBACKS, Callback, Need
    from topcook.contract.node_callbacks import NODE_CALLBACKS

    def rows(callbacks: Iterable[Callback]) -> Iterator[tuple[str, ...]]:
        for row in callbacks:
            field = f" Field `{row.field}`, tab *{row.tab}*." if row.field else ""
            yield f"`{row.signature}`", row.need.value, f"`{row.returns.value}`", row.sentence + field

    head = ("callback", "need", "returns", "what it does")
    needs = {
        Need.REQUIRED: "nothing can stand in for it",
        Need.DEFAULTED: "PDG's help calls it a must; the base class has a default that works",
        Need.OPTIONAL: "a class lives well without it",
    }
    yield "# Callbacks"
    yield ""
    yield MADE.format(source="the tables in `registry/topcook/contract/`")
    yield ""
    yield "What Topcook calls. *Need* says whether a class must bring the callback itself:"
    yield ""
    for need in Need:
        yield f"- *{need.value}*: {needs[need]};"
    yield ""
    yield "## Schedulers"
    yield ""
    yield "A *field* is the text field of the Python Scheduler node that holds the callback's body."
    yield ""
    yield from table(head, rows(CALLBACKS))
    for kind, callbacks in NODE_CALLBACKS.items():
        if callbacks:
            yield f"## Nodes: {kind.name.lower()}"
            yield ""
            yield from table(head, rows(callbacks))


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that is shown, of a group and of its groups, with the words that a person types."""
    context = click.Context(group, info_name=words)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            yield f"{words} {name}", command
            if isinstance(command, click.Group):
                yield from commands(command, f"{words} {name}")


def help_lines(text: str) -> Iterator[str]:
    """A command's help as Markdown: a paragraph that click keeps as it is (after a backspace) becomes a code block."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            yield from ("```", *inspect.cleandoc(paragraph[1:]).strip().splitlines(), "```")
        else:
            yield from paragraph.splitlines()
        yield ""


def command_lines(words: str, command: click.Command) -> Iterator[str]:
    """The section of one command: its usage, its help, its options."""
    context = click.Context(command, info_name=words)
    yield f"## `{words}`"
    yield ""
    yield "```"
    yield " ".join([words, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    yield from help_lines(command.help or command.short_help or "")
    options = [parm for parm in command.params if isinstance(parm, click.Option) and not parm.hidden]
    rows = []
    for option in options:
        record = option.get_help_record(context)
        if record:
            # Long name first: it is the one to search for.
            names = ", ".join(f"`{name}`" for name in sorted((*option.opts, *option.secondary_opts), key=len)[::-1])
            rows.append((names, f"`{option.make_metavar(context)}`" if not option.is_flag else "", record[1]))
    if rows:
        yield from table(("option", "value", ""), rows)


def command_line_page() -> Iterator[str]:
    """The command line, a section a command."""
    from topcook.cli.group import topcook

    yield "# The command line"
    yield ""
    yield MADE.format(source="the commands in `registry/topcook/cli/`")
    yield ""
    for words, command in [("topcook", topcook), *commands(topcook, "topcook")]:
        yield from command_lines(words, command)


def problems_page() -> Iterator[str]:
    """Every problem that a check can find, by what is checked."""
    from topcook.contract.tolerated import TOLERATED
    from topcook.model.problemcodes import AREAS

    yield "# Problems"
    yield ""
    yield MADE.format(source="the table in `registry/topcook/model/problemcodes/`")
    yield ""
    yield "What `topcook check`, `topcook list` and a cook can find wrong; `topcook check --explain CODE` prints one."
    yield "An *error* keeps a type from being used; with a *warning* it can be chosen all the same, and `check` fails."
    yield ""
    for area, rows in AREAS.items():
        yield f"## {area}"
        yield ""
        for row in rows:
            yield f"### {row.code}"
            yield ""
            yield f"*{'Warning' if row.code in TOLERATED else 'Error'}*: {row.title}."
            yield ""
            yield row.text
            yield ""
            for word, piece in (("Instead of", row.wrong), ("write", row.right)):
                if piece:
                    yield from (f"{word}", "", "```python", *piece.splitlines(), "```", "")


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "callbacks.md": callbacks_page,
    "command-line.md": command_line_page,
    "problems.md": problems_page,
}


def main() -> int:
    """Write or check every page; the exit status."""
    stale = 0
    for name, lines in PAGES.items():
        path = DOCS / name
        text = "\n".join(lines()).rstrip() + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            print(f"docs/{name} is out of date: run `make docs`")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
