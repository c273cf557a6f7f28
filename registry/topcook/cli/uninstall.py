"""``topcook uninstall``: take out what ``topcook install`` put in."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration
from topcook.cli.options import complete_scheduler
from topcook.errors import CookRefusedError
from topcook.factory.bundles import home_of
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
    # A helper is skipped; all else may need helpers, blocked or broken as it is today.
    mains = {each.origin.path for each in factory.records if each.state.value != "skipped"}
    others = [each for each in sorted(mains) if each != record.origin.path and _inside(each, directory)]
    for path in removable(record.origin.path, others):
        os.unlink(path)
        click.echo(f"removed {path}")
        _remove_empty(os.path.dirname(path), directory)
    _tell_who_answers(record)


def _inside(path: str, directory: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(directory, ""))


def _found(factory: Factory, wanted: str, directory: str) -> Record:
    """The record in that folder; raises ``CookRefusedError`` that says where the type is instead."""
    matching = _matching(factory, os.path.basename(wanted.rstrip(os.sep)).removesuffix(".py").lower())
    here = [each for each in matching if _inside(each.origin.path, directory)]
    files = list(dict.fromkeys(each.origin.path for each in here))
    if len(files) > 1:
        told = "\n    ".join(f"topcook uninstall {shlex.quote(os.path.basename(each))}" for each in files)
        raise CookRefusedError(f'"{wanted}" may be any of {len(files)} files; say which one:\n    {told}')
    if here:
        _refuse_elsewhere(here[0], directory)
        return here[0]
    if not matching:
        raise CookRefusedError(f'nothing in "{directory}" is called "{wanted}"\n    what there is: topcook list --all')
    origin = matching[0].origin
    if origin.distribution:
        how = f"pip uninstall {origin.distribution}"
    elif origin.tier.value == "builtin":
        how = "it comes with Topcook, and stays; a block in the configuration hides it"
    else:
        folder = origin.root or os.path.dirname(origin.path)
        how = f"topcook uninstall {shlex.quote(wanted)} --site {shlex.quote(folder)}"
    raise CookRefusedError(f'"{wanted}" is not in "{directory}", but {origin.path}\n    {how}')


def _matching(factory: Factory, name: str) -> list[Record]:
    """The records that a name means: by their file, else by their type, else by what their text calls them."""
    found = [each for each in factory.records if os.path.isfile(each.origin.path)]
    for means in (
        lambda each: name == _stem(each.origin.path),
        lambda each: name == each.name.lower(),
        lambda each: name in each.aliases,
    ):
        matching = [each for each in found if means(each)]
        if matching:
            return matching
    return []


def _refuse_elsewhere(record: Record, directory: str) -> None:
    """Nothing is taken out of where a link leads: it may be somebody's working copy."""
    home = home_of(record.origin.path)
    real, root = os.path.realpath(home), os.path.realpath(directory)
    if real != root and not _inside(real, root):
        raise CookRefusedError(
            f'"{home}" is a link: its files lie in "{real}", and stay there\n'
            f"    to take the link out: rm {shlex.quote(home)}"
        )


def _stem(path: str) -> str:
    stem = os.path.splitext(os.path.basename(path))[0]
    return (os.path.basename(os.path.dirname(path)) if stem == "__init__" else stem).lower()


def _remove_empty(folder: str, directory: str) -> None:
    """The folders of a package, when nothing is left in them but caches."""
    while _inside(folder, directory):
        cache = os.path.join(folder, "__pycache__")
        if os.path.isdir(cache) and not os.path.islink(cache):
            shutil.rmtree(cache, ignore_errors=True)
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
