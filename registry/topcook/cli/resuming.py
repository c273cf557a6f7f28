"""The options by which a cook goes on with an earlier one, or uses it as its cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.problems import counted
from topcook.runtime.resume.settings import FILE_MODES, Settings
from topcook.runtime.resume.taking import dry_memory

if TYPE_CHECKING:
    from topcook.cli.plan import Plan
    from topcook.runtime.resume import Memory

__all__ = ["dry_memory", "resume_options", "settings_of", "verdicts_text"]

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--resume", is_flag=True, help="Go on with the last cook of this network, however that ended."),
    click.option("--retry-failed", is_flag=True, help="With --resume: cook again what failed, as its next attempt."),
    click.option(
        "--accept-version",
        is_flag=True,
        help="With --resume: go on although types are other versions now than those the cook began with.",
    ),
    click.option("--resume-cook", hidden=True, default="", help="With --resume: go on with the cook of this id."),
    click.option(
        "--only-end", hidden=True, is_flag=True, help="With --resume: take up the jobs that run, and end them."
    ),
    click.option(
        "--cache",
        type=click.Choice(FILE_MODES),
        default="mtime",
        show_default=True,
        help="How files tell that an item need not be cooked again: by size and time, by content, or not at all.",
    ),
)


def resume_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """What the options ask for; raises ``UsageError`` for two that contradict each other."""
    resume = options["resume"]
    if resume and options["no_journal"]:
        raise click.UsageError("--resume goes on in the journal of the last cook, and --no-journal keeps none")
    if options["retry_failed"] and not resume:
        raise click.UsageError("--retry-failed goes with --resume; without it, what failed is cooked again anyway")
    if resume and options["cache"] == "off":
        raise click.UsageError("--resume needs to know what is done; --cache off is for cooking all of it again")
    if options["accept_version"] and not resume:
        raise click.UsageError("--accept-version goes with --resume; without it, types are as they are now anyway")
    return Settings(
        resume, options["cache"], options["retry_failed"], options["accept_version"], options["resume_cook"]
    )


def verdicts_text(plan: Plan, memory: Memory) -> list[str]:
    """Lines that say of each item known before the cook what would become of it, and why."""
    from topcook.contract.secrets import redact
    from topcook.runtime.resume.foresight import foresee

    found = foresee(memory, [item for node in plan.cook.nodes for item in node.items])
    past = memory.past.cook_id if memory.past is not None else ""
    done = sum(each.verdict.value == "done" for each in found)
    lines = ["", click.style(f"after cook {past}: {done} of {counted(len(found), 'item')} found done", bold=True)]
    for each in found:
        reason = f"  {redact(each.reason)}" if each.reason else ""
        lines.append(f"  {each.verdict.value:<13} {click.style(each.item.name, fg='cyan')}{reason}")
    return lines
