"""``topcook install``: put a types file where every network finds it."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration
from topcook.cli.examining import sound
from topcook.cli.problems import counted
from topcook.errors import CookRefusedError
from topcook.scaffold import Installation, main_file, plan_install

if TYPE_CHECKING:
    from topcook.factory import Record


@click.command("install")
@click.argument("file", type=click.Path())
@click.option("--user", is_flag=True, help="Into your own folder for types (the default).")
@click.option("--site", metavar="DIR", help="Into this folder, for all who have it on their types path.")
@click.option("--force", is_flag=True, help="Also with problems, and over what is there.")
def command(*, file: str, user: bool, site: str | None, force: bool) -> None:
    """Put a types file where every network finds it.

    FILE is a types file (.py) or a package. It is checked first; what it imports from beside it goes along.
    Nothing has to be set afterwards: your own folder for types is always looked through.

    \b
    Example:
        topcook install myfarm.py
        topcook install myfarm.py --site /studio/pdg/types
    """
    from topcook.factory import check_pdg_is_ours

    if user and site is not None:
        raise click.UsageError("--user and --site name two places; leave one of them out")
    check_pdg_is_ours()
    main = main_file(file)
    types = sound(main, force=force, doing="installed")
    plan = plan_install(file, _directory(site))
    if not force:
        _refuse_overwriting(plan)
    written = plan.missing()
    plan.write()
    _tell(plan, types, written)


def _directory(site: str | None) -> str:
    from topcook.factory.typespath import user_types_dir

    if site is None:
        return user_types_dir()
    if not os.path.isdir(site):
        raise CookRefusedError(f'there is no folder "{site}"\n    make it first: mkdir -p {quote(site)}')
    if not os.access(site, os.W_OK | os.X_OK):
        raise CookRefusedError(f'you may not write into "{site}"\n    ask whom it belongs to, or leave out --site')
    return site


def _refuse_overwriting(plan: Installation) -> None:
    other = plan.differing()
    if other:
        raise CookRefusedError(
            f"something else is there already: {', '.join(other)}\n"
            "    --force overwrites it; what is there is shown by: topcook list --all"
        )


def _tell(plan: Installation, types: list[Record], written: list[str]) -> None:
    if not written:
        click.echo(f"there already, and the same: {plan.path}")
    for path in written:
        click.echo(f"wrote {path}")
    for record in types:
        click.echo(f"    {_answer(plan, record)}", err=True)
    if len(written) > 1:
        click.echo(f"    {counted(len(written) - 1, 'file')} that it imports went along", err=True)


def _answer(plan: Installation, installed: Record) -> str:
    """What asking for the name gives now."""
    from topcook.factory import Factory

    factory = Factory.scan(config=configuration())
    found = factory.find(installed.kind, installed.name)
    if found is not None and found.origin.path == plan.path:
        return f'"{found.name}" is in the menu: topcook list'
    if found is not None:
        return f'"{installed.name}" is answered by another: {found.origin} ({found.origin.path})'
    known = any(record.origin.path == plan.path for record in factory.records)
    if known:
        return f'"{installed.name}" cannot be used yet: topcook doctor {installed.name}'
    return f"this folder is not on your types path: PDG_TYPES_PATH={quote(plan.directory)} topcook list"
