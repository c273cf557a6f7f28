"""``topcook new``: a scheduler file to begin with, a network that it cooks, and a test of both."""

from __future__ import annotations

import os
from pathlib import Path

import click

from topcook.cli.configured import configuration
from topcook.errors import CookRefusedError
from topcook.scaffold import KINDS, TypeNames, new_network, new_scheduler, new_test, type_names

_DEFAULT = "poll"


@click.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default=_DEFAULT,
    show_default=True,
    help="How one hears from the farm; see below.",
)
@click.option("--dir", "folder", metavar="DIR", default=".", help="Where to write; by default here.")
@click.option("--force", is_flag=True, help="Overwrite files, and take a name that another type has.")
def command(*, name: str, kind: str, folder: str, force: bool) -> None:
    """Write a scheduler file that works, to change into yours.

    NAME is the type's name, as networks ask for it; the files are NAME.py, NAME.toml (a small network that it
    cooks) and test_NAME.py. It runs jobs on this machine until you put your farm's calls in their place.

    \b
    The kinds:
        poll      submits, and asks the farm in onTick how its jobs are
        cli       a command of the farm that waits for its job, as srun does
        rest      a farm that speaks HTTP and JSON
        inprocess Python functions of nodes, on threads of this process
        static    gives the farm the whole graph at once, with its dependencies
        farm      an engine on other machines, on topcook.author.farm: for Topcook only

    \b
    Example:
        topcook new myfarm
        topcook new myfarm --kind rest --dir ~/types
    """
    from topcook.factory import check_pdg_is_ours

    try:
        names = type_names(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    check_pdg_is_ours()
    if not force:
        _refuse_taken(names)
    chosen = KINDS[kind]
    texts = {
        Path(folder, f"{names.name}.py"): new_scheduler(names, chosen),
        Path(folder, f"{names.name}.toml"): new_network(names, chosen),
        Path(folder, f"test_{names.name}.py"): new_test(names, chosen),
    }
    _write(texts, force=force)
    _tell(names, list(texts), folder)


def _refuse_taken(names: TypeNames) -> None:
    from topcook.factory import Factory, Kind

    there = Factory.scan(config=configuration()).find(Kind.SCHEDULER, names.name)
    if there is not None:
        # Also where the name is short for that one's: networks that say "local" would mean another type from now on.
        raise CookRefusedError(
            f'"{names.name}" is the scheduler type "{there.name}" already: {there.origin}\n'
            "    take another name, or --force to hide that one"
        )


def _write(texts: dict[Path, str], *, force: bool) -> None:
    """All files or none; what is there already is overwritten only when asked for."""
    there = [str(path) for path in texts if path.exists()]
    if there and not force:
        raise CookRefusedError(f"there already: {', '.join(there)}\n    --force overwrites, --dir writes elsewhere")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def _tell(names: TypeNames, paths: list[Path], folder: str) -> None:
    for path in paths:
        click.echo(f"wrote {path}")
    file, network, test = map(str, paths)
    click.echo("what next:", err=True)
    click.echo(f"    see it work, and again after each change:  topcook dev {file}", err=True)
    click.echo(f"    cook its network:   PDG_TYPES_PATH={folder} topcook cook {network}", err=True)
    click.echo(f"    run its test:       python -m pytest {test}", err=True)
    click.echo(f"    have it in menus:   topcook install {file}", err=True)
