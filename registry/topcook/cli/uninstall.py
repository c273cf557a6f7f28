"""``topcook uninstall``: take out what ``topcook install`` put in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration
from topcook.cli.options import complete_scheduler
from topcook.errors import CookRefusedError
from topcook.scaffold import removable

if TYPE_CHECKING:
    from topcook.factory import Factory, Record


@click.command("uninstall")
@click.argument("type_or_file", shell_complete=complete_scheduler)
@click.option("--site", metavar="DIR", help="Out of this folder, instead of your own.")
def command(*, type_or_file: str, site: str | None) -> None:
    """Take out what install put in.

    TYPE_OR_FILE is the name of a type, or of its file, in your own folder for types. Helpers that nothing else
    there imports go with it.

    \b
    Example:
        topcook uninstall myfarm
        topcook uninstall myfarm.py --site /studio/pdg/types
    """
    from topcook.factory import Factory, check_pdg_is_ours
    from topcook.factory.typespath import user_types_dir

    check_pdg_is_ours()
    directory = os.path.abspath(site) if site is not None else user_types_dir()
    factory = Factory.scan(config=configuration()) if site is None else Factory.scan({"PDG_TYPES_PATH": directory})
    record = _found(factory, type_or_file, directory)
    mains = {each.origin.path for each in factory.records if each.problems or each.kind.value != "unknown"}
    others = [each for each in sorted(mains) if each != record.origin.path and _inside(each, directory)]
    for path in removable(record.origin.path, others):
        os.unlink(path)
        click.echo(f"removed {path}")
        _remove_empty(os.path.dirname(path), directory)
    _tell_who_answers(record)


def _inside(path: str, directory: str) -> bool:
    return os.path.abspath(path).startswith(directory + os.sep)


def _found(factory: Factory, wanted: str, directory: str) -> Record:
    """The record in that folder; raises ``CookRefusedError`` that says where the type is instead."""
    name = os.path.basename(wanted).removesuffix(".py").lower()
    matching = [
        each
        for each in factory.records
        if name in {each.name.lower(), *each.aliases, _stem(each.origin.path)} and os.path.isfile(each.origin.path)
    ]
    here = [each for each in matching if _inside(each.origin.path, directory)]
    if here:
        return here[0]
    if not matching:
        raise CookRefusedError(f'nothing in "{directory}" is called "{wanted}"\n    what there is: topcook list --all')
    origin = matching[0].origin
    if origin.distribution:
        how = f"pip uninstall {origin.distribution}"
    elif origin.tier.value == "builtin":
        how = "it comes with Topcook, and stays; a block in the configuration hides it"
    else:
        how = f"topcook uninstall {wanted} --site {origin.root or os.path.dirname(origin.path)}"
    raise CookRefusedError(f'"{wanted}" is not in "{directory}", but {origin.path}\n    {how}')


def _stem(path: str) -> str:
    stem = os.path.splitext(os.path.basename(path))[0]
    return (os.path.basename(os.path.dirname(path)) if stem == "__init__" else stem).lower()


def _remove_empty(folder: str, directory: str) -> None:
    """The folders of a package, when nothing is left in them but caches."""
    while _inside(folder, directory):
        cache = os.path.join(folder, "__pycache__")
        if os.path.isdir(cache):
            for name in os.listdir(cache):
                os.unlink(os.path.join(cache, name))
            os.rmdir(cache)
        if os.listdir(folder):
            return
        os.rmdir(folder)
        folder = os.path.dirname(folder)


def _tell_who_answers(removed: Record) -> None:
    from topcook.factory import Factory

    found = Factory.scan(config=configuration()).find(removed.kind, removed.name)
    if found is not None:
        click.echo(f'    "{removed.name}" is answered by {found.origin} now', err=True)
    else:
        click.echo(f'    nothing answers to "{removed.name}" any more', err=True)
