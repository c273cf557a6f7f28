"""``topcook index``: what is kept of types files from one start to the next."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.problems import counted

if TYPE_CHECKING:
    from topcook.factory.index import Index
    from topcook.factory.index.site import SiteState
    from topcook.factory.records import Record

_FORMAT_VERSION = 1
_AGAIN = "topcook index build --site"


@click.group("index")
def command() -> None:
    """Show, make anew or remove what is kept of types files.

    Types files are executed once, in processes of their own, and what they register is kept with their source: a
    start executes only what has changed. A shared types directory may have an index of its own, for all who use it.

    \b
    Example:
        topcook index status
        topcook index build --site /studio/pdg/types
    """


@command.command("build")
@click.option("--site", "sites", multiple=True, type=click.Path(), metavar="DIR", help="Seal an index into DIR.")
def build(*, sites: tuple[str, ...]) -> int:
    """Execute all types files anew and keep what comes of it, also where a server was away the last time.

    With --site DIR the index is written into DIR. All whose interpreter and Topcook are the same read it as long as
    the files of DIR are as they were; it is trusted as far as they are.

    \b
    Example:
        topcook index build
        topcook index build --site /studio/pdg/types
    """
    from topcook.factory import Factory

    if sites:
        from topcook.factory.index.site import build_site

        for site in sites:
            if not os.path.isdir(site):
                raise click.UsageError(f'"{site}" is no directory')
            _say(site, build_site(site, os.environ))
        return COOKED
    index = _index()
    if index is None:
        click.echo("no index is kept: TOPCOOK_INDEX says so, or there is no home directory", err=True)
        return UNCOOKED
    index.forget()
    factory = Factory.scan(index=index, patience=None)
    factory.close()
    _say(index.database.path, factory.records)
    return _told_notes(index)


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(*, as_json: bool) -> int:
    """Say where the index is, what is in it, and what keeps it from being used.

    Of the sealed indexes of shared directories: for how many of their files they answer.

    \b
    Example:
        topcook index status --json
    """
    from topcook.cli.configured import configuration
    from topcook.factory.index.database import described
    from topcook.factory.index.site import site_states

    index = _index()
    path = index.database.path if index is not None else None
    if index is not None:
        # Whether it can be written to shows only when it is.
        index.database.write(lambda _: None)
    counts = described(index.database) if index is not None else {}
    size = os.path.getsize(path) if path is not None and os.path.exists(path) else 0
    notes = index.notes if index is not None else []
    sites = site_states(configuration(), os.environ)
    if as_json:
        shared = [{"path": each.path, "known": each.known, "files": each.files, "notes": each.notes} for each in sites]
        data = {"version": _FORMAT_VERSION, "path": path, "bytes": size, **counts, "notes": notes, "sites": shared}
        click.echo(json.dumps(data, indent=2))
        return UNCOOKED if notes else COOKED
    if path is None:
        click.echo("no index is kept")
    else:
        click.echo(path)
        files, records = counted(counts["candidate"], "file"), counted(counts["record"], "record")
        environments = counted(counts["environment"], "environment")
        kept = (
            f"{files}, {records}, {environments}, {size // 1024} KiB" if counts["candidate"] else "nothing is kept yet"
        )
        click.echo(f"    {kept}")
    for site in sites:
        _tell_of_site(site)
    return _told_notes(index) if index is not None else COOKED


def _tell_of_site(site: SiteState) -> None:
    click.echo(site.path)
    click.echo(f"    answers for {site.known} of {counted(site.files, 'file')} of its directory")
    for note in site.notes:
        click.echo(f"    {note}", err=True)
    if site.known < site.files and not site.notes:
        directory = os.path.dirname(site.path)
        click.echo(f"    the others have changed since, or are met by another Python or Topcook: {_AGAIN} {directory}")


@command.command("clear")
def clear() -> int:
    """Remove the index; the next start executes all types files again.

    \b
    Example:
        topcook index clear
    """
    index = _index()
    if index is None or not os.path.exists(index.database.path):
        click.echo("there is nothing to remove")
        return COOKED
    try:
        os.remove(index.database.path)
    except OSError as error:
        click.echo(f'"{index.database.path}" cannot be removed: {error.strerror}', err=True)
        return UNCOOKED
    click.echo(f"removed {index.database.path}")
    return COOKED


def _index() -> Index | None:
    from topcook.factory.index.open import open_index

    return open_index(os.environ)


def _say(where: str, records: list[Record]) -> None:
    broken = sum(record.blemished for record in records)
    more = f", {broken} with problems: topcook list" if broken else ""
    click.echo(f"{where}: {counted(len(records), 'record')}{more}")


def _told_notes(index: Index) -> int:
    for note in index.notes:
        click.echo(note, err=True)
    return UNCOOKED if index.notes else COOKED
