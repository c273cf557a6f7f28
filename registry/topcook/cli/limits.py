"""The options that limit a whole cook, whatever its network says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from topcook.runtime.api import GraphContext

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--slots",
        type=click.IntRange(min=1),
        metavar="N",
        help="Use at most N slots at once, over all schedulers.",
    ),
    click.option(
        "--machine-slots",
        type=click.IntRange(min=0),
        metavar="N",
        help="Share N slots for local jobs with all other cooks of yours on this machine that say so; 0: share none.",
    ),
    click.option(
        "--die-with-parent",
        is_flag=True,
        help="End all local jobs when this process ends, also when it is killed; they cannot be taken up then.",
    ),
    click.option(
        "--max-failures",
        type=click.IntRange(min=0),
        metavar="N",
        help="Stop the cook when N items have failed for good; 0 is never.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(min=0),
        metavar="N",
        help="Try failed items N more times, where their node does not say how often.",
    ),
)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def limit(context: GraphContext, options: dict[str, Any]) -> None:
    """Let the options hold for the network."""
    network = context.core.network
    if options["machine_slots"] is not None:
        context.core.config = context.core.config._replace(machine_slots=options["machine_slots"])
    if options["die_with_parent"]:
        context.core.config = context.core.config._replace(die_with_parent=True)
    if options["slots"] is not None:
        network.slots = options["slots"]
    if options["max_failures"] is not None:
        network.max_failures = options["max_failures"]
    for node in network.nodes.values() if options["retries"] is not None else ():
        parm = node.parms.get("pdg_retries")
        if parm is not None and not parm.is_set:
            node.parms.set("pdg_retries", options["retries"])
