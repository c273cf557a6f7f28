"""``topcook pack``: a types file as a project that pip installs."""

from __future__ import annotations

import os

import click

from topcook.cli.examining import sound
from topcook.errors import CookRefusedError
from topcook.scaffold import Project, dist_name_problem, main_file, make_project, write_atomically


@click.command("pack")
@click.argument("file", type=click.Path())
@click.option("--dist-name", required=True, metavar="NAME", help="The name under which pip knows it: topcook-myfarm.")
@click.option("--dir", "folder", metavar="DIR", help="Where the project goes; by default a folder of that name.")
@click.option("--version", default="0.1.0", show_default=True, metavar="VERSION", help="Its first version.")
@click.option("--force", is_flag=True, help="Also with problems, and over what is there.")
def command(*, file: str, dist_name: str, folder: str | None, version: str, force: bool) -> None:
    """Turn a types file into a project that pip installs.

    FILE is a types file (.py), also one that save wrote, or a package. The project has a pyproject.toml with the
    entry point by which Topcook finds it, a package with the file and what it imports from beside it, a README
    and a test. Installed into Topcook's Python it is in the menu, with its name and version.

    \b
    Example:
        topcook pack myfarm.py --dist-name topcook-myfarm
        pip install ./topcook-myfarm && topcook list
    """
    from topcook.factory import check_pdg_is_ours

    wrong = dist_name_problem(dist_name) or _version_problem(version)
    if wrong:
        raise click.UsageError(wrong)
    check_pdg_is_ours()
    main = main_file(file)
    types = sound(main, force=force, doing="packed")
    project = make_project(file, dist_name, version, [(each.name, each.label or each.name) for each in types])
    target = folder or dist_name
    if os.path.isdir(target) and os.listdir(target) and not force:
        raise CookRefusedError(
            f'the folder "{target}" has something in it\n    --force writes over it, --dir elsewhere'
        )
    _write(project, target)
    for note in project.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f'packed {", ".join(each.name for each in types)} as "{dist_name}": {target}')
    click.echo("what next:", err=True)
    click.echo(f"    pip install {_as_path(target)}, into the Python that has topcook; then: topcook list", err=True)
    click.echo(f"    take {file} off the types path: it goes before what pip installs", err=True)


def _version_problem(version: str) -> str:
    import re

    if re.fullmatch(r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?", version):
        return ""
    return f'--version "{version}" is no version that pip reads: 0.1.0, 1.2, 2.0rc1'


def _as_path(folder: str) -> str:
    return folder if os.sep in folder else f".{os.sep}{folder}"


def _write(project: Project, target: str) -> None:
    for name, content in project.files.items():
        path = os.path.join(target, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomically(path, content)
