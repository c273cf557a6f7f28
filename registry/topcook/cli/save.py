"""``topcook save``: a scheduler file made of a Python Scheduler node (Houdini's Save To Python)."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from topcook.cli.options import complete_scheduler
from topcook.errors import CookRefusedError, SchedulerContractError

if TYPE_CHECKING:
    from topcook.contract.saving import SavedType
    from topcook.model.node import SchedulerNode
    from topcook.runtime.api import GraphContext


@click.command("save")
@click.argument("network", type=click.Path())
@click.argument("scheduler", shell_complete=complete_scheduler)
@click.option("-o", "--output", metavar="FILE", help="The file to write; - is standard output, as without an option.")
@click.option("--install", is_flag=True, help="Put the file into the types path.")
@click.option("--name", default="", metavar="NAME", help="The type's name; by default the scheduler's own.")
@click.option("--force", is_flag=True, help="Overwrite a file, or hide a type of the same name.")
def command(*, network: str, scheduler: str, output: str | None, install: bool, name: str, force: bool) -> None:
    """Save a Python Scheduler node as a scheduler file.

    SCHEDULER is a scheduler of NETWORK whose callbacks are text fields. The file has its class, its spare parms
    with their values, and every callback that is filled; the network cooks the same with it. --install puts it
    into the first folder of PDG_TYPES_PATH that can be written to, else into your own folder for types.

    \b
    Example:
        topcook save network.toml farm -o myfarm.py
        topcook save network.toml farm --install
    """
    from topcook.cli.configured import load_configured

    if install and output is not None:
        raise click.UsageError("--install chooses the place of the file itself; leave out -o, or --install")
    if name and not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise click.UsageError(f'--name "{name}": a type\'s name has letters, digits, _ . -')
    context = load_configured(network)
    try:
        saved = _saved(context, scheduler, name)
        if not install and output in {None, "-"}:
            click.echo(saved.text, nl=False)
            return
        target = _install_path(saved) if install else Path(str(output))
        if not force:
            _refuse_to_hide(context, saved, target, install=install)
        _write(target, saved.text, force=force)
    finally:
        context.close()
    click.echo(f'saved scheduler "{scheduler}" as type "{saved.name}": {target}')
    click.echo(f'    to use it: type = "{saved.name}" in {network}, without its text fields', err=True)
    if install:
        click.echo(f"    it is found there by: topcook list; checked by: topcook check {target}", err=True)


def _saved(context: GraphContext, scheduler: str, name: str) -> SavedType:
    """The file, tried out: it loads without problems and takes static hand-over as the node does."""
    from topcook.contract.saving import save_to_python

    node = _node(context, scheduler)
    wanted = context.core.takes_static(node.name)[0]
    saved = save_to_python(node, context.core.network.name, name)
    if _takes_static(saved) is not wanted:
        saved = save_to_python(node, context.core.network.name, name, static=wanted)
        _takes_static(saved)
    return saved


def _node(context: GraphContext, scheduler: str) -> SchedulerNode:
    from topcook.contract.fields import FIELD_TAG

    schedulers = context.core.network.schedulers
    node = schedulers.get(scheduler)
    if node is None:
        there = ", ".join(f'"{name}"' for name in schedulers) or "none"
        raise CookRefusedError(f'the network has no scheduler "{scheduler}"; it has: {there}')
    if not any(FIELD_TAG in spec.tags for spec in node.parms.specs.values()):
        origin = context.core.factory.scheduler(node.type_name).origin
        raise CookRefusedError(
            f'scheduler "{scheduler}" has no text fields: its type "{node.type_name}" is a Python file already\n'
            f"    {origin.path}"
        )
    return node


def _takes_static(saved: SavedType) -> bool:
    from topcook.factory import Factory
    from topcook.factory.quiet import captured_output

    with tempfile.TemporaryDirectory(prefix="topcook-save-") as folder:
        path = Path(folder, saved.file_name)
        path.write_text(saved.text, encoding="utf-8")
        factory = Factory([])
        with captured_output():
            factory.add_path(str(path))
        problems = [problem for record in factory.records for problem in record.problems]
        if problems:
            raise SchedulerContractError(problems, f'type "{saved.name}" cannot be saved')
        return factory.records[0].static[0]


def _install_path(saved: SavedType) -> Path:
    from topcook.factory.typespath import types_entries, user_types_dir

    for entry in types_entries(None, os.environ):
        # A file for Topcook does not belong into Houdini's folders unless they were named for it.
        if entry.expected and os.path.isdir(entry.path) and os.access(entry.path, os.W_OK | os.X_OK):
            return Path(entry.path, saved.file_name)
    return Path(user_types_dir(), saved.file_name)


def _refuse_to_hide(context: GraphContext, saved: SavedType, target: Path, *, install: bool) -> None:
    from topcook.factory import Kind

    if target.exists():
        raise CookRefusedError(
            f'"{target}" exists already\n    --force overwrites it, --name gives the type another name'
        )
    there = context.core.factory.find(Kind.SCHEDULER, saved.name) if install else None
    if there is not None:
        raise CookRefusedError(
            f'there is a scheduler type "{there.name}" already: {there.origin}\n'
            "    --name gives this one another name, --force hides that one"
        )


def _write(target: Path, text: str, *, force: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not force:
        # Nobody else's file is overwritten, not even one that appears just now.
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
