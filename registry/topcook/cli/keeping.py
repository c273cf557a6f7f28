"""The options by which a cook is kept: where its journal lies, and what that survives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import click

from topcook.runtime.journal.keeping import How

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--journal",
        metavar="DIR",
        type=click.Path(file_okay=False),
        help="The directory of the cook's journal, in place of the user's own state directory.",
    ),
    click.option("--no-journal", is_flag=True, help="Keep no journal: nothing can be taken up again, or told later."),
    click.option(
        "--durability",
        type=click.Choice(["process", "power"]),
        default="process",
        show_default=True,
        help="What the journal survives: the end of the process however it comes, or a power cut, too.",
    ),
)


def journal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def how_of(options: dict[str, Any]) -> How:
    """What the options ask for; raises ``UsageError`` for two that contradict each other."""
    if options["no_journal"] and options["journal"]:
        raise click.UsageError("--journal says where it is to be kept, and --no-journal that it is not")
    where = os.path.abspath(options["journal"]) if options["journal"] else ""
    return How(where, not options["no_journal"], options["durability"] == "power", tuple(_arguments(options)))


def _arguments(options: dict[str, Any]) -> Iterator[str]:
    """The options that choose what is cooked where and how, each with its value; that of a flag is empty."""
    if options["profile"]:
        yield from ("--profile", options["profile"])
    if options["scheduler"]:
        yield from ("--scheduler", options["scheduler"])
    for node, name in options["overrides"].items():
        yield from ("--override", f"{node}={name}")
    for option, rows in (("--parm", options["parms"]), ("--job-parm", options["job_parms"])):
        for node, name, value in rows:
            yield from (option, f"{node}.{name}={value}")
    for option, names in (("--static", "static"), ("--no-static", "no_static"), ("--node", "nodes")):
        for name in options[names]:
            yield from (option, name)
    for name in ("slots", "machine_slots", "max_failures", "retries"):
        if options[name] is not None:
            yield from (f"--{name.replace('_', '-')}", str(options[name]))
    if options["die_with_parent"]:
        yield from ("--die-with-parent", "")
    if options["durability"] != "process":
        yield from ("--durability", options["durability"])
    if options["cache"] == "hash":
        # Else what was compared by content would all count as changed.
        yield from ("--cache", options["cache"])
