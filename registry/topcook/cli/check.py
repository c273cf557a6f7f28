"""``topcook check``: every mistake of scheduler files, networks and item graphs, each with its place."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from topcook.cli.configured import configuration, strict_failures, tell
from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.problems import counted, level_of, print_problems
from topcook.errors import Problem, ProblemsError, TopcookError
from topcook.factory import check_pdg_is_ours
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.config import Config

_FORMAT_VERSION = 1


@dataclass(slots=True)
class Checked:
    """What was found in one argument; ``kind`` is types, network or item graph, ``holds`` says what is in it.

    ``contents`` are the bytes that were checked, by path, where they are known.
    """

    path: str
    kind: str
    problems: list[Problem]
    holds: str
    contents: dict[str, bytes] = field(default_factory=dict)

    def summary(self) -> str:
        """The line below the problems."""
        name = click.style(self.path, bold=True)
        if not self.problems:
            return f"{name}: {click.style('ok', fg='green', bold=True)}, {self.holds}"
        return f"{name}: {_count(self.problems)}"


@click.command("check")
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE|DIR|DIST...")
@click.option("--strict", is_flag=True, help="Demand all that the help page calls a must, in files only you may write.")
@click.option("--parms", is_flag=True, help="Instead: print the parms that scheduler files read and do not declare.")
@click.option("--explain", "code", metavar="CODE", help="Instead: explain a problem, with an example of its remedy.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems (or parms) as JSON.")
def command(*, files: tuple[str, ...], strict: bool, parms: bool, code: str | None, as_json: bool) -> int:
    """Find every mistake in scheduler files and networks.

    A FILE is a types file (.py), a network (.toml, .json) or an item graph (.json, .jsonl), a DIR a folder of types
    files, a DIST an installed distribution that brings types. Types files are executed as they would be to list
    them, in processes of their own; of a network the work items that are known before a cook are made. Nothing is
    scheduled. The exit status is 0 when all is well, 1 when there are problems.

    --parms prints the parms that a scheduler file reads and that nobody declares, as spare parms for a network:
    those of files written for Houdini often sit in an asset.

    \b
    Example:
        topcook check ~/my/types/myfarm.py
        topcook check --strict myfarm.py network.toml
        topcook check --explain mistyped-callback
        topcook check --parms myfarm.py >> network.toml
    """
    if code is not None:
        from topcook.cli.check_explain import show_explanation

        return show_explanation(code)
    if not files:
        raise click.UsageError("what is to be checked? Name a file, a folder or an installed distribution")
    check_pdg_is_ours()
    if parms:
        from topcook.cli.check_parms import show_parms

        return show_parms(files, as_json=as_json)
    config = configuration()
    checked = _check_all(files, config, strict=strict)
    _show(checked, as_json=as_json)
    tell(config)
    found = [problem for one in checked for problem in one.problems]
    failing = strict_failures(config, found) if config.strict else found
    return UNCOOKED if failing else COOKED


def _show(checked: Sequence[Checked], *, as_json: bool) -> None:
    if as_json:
        rows = [(one, [each.row() | {"level": level_of(each)} for each in one.problems]) for one in checked]
        found = [{"path": one.path, "kind": one.kind, "problems": problems} for one, problems in rows]
        click.echo(json.dumps({"version": _FORMAT_VERSION, "files": found}, indent=2))
        return
    for one in checked:
        print_problems(one.problems, contents=one.contents, stream=sys.stdout)
        click.echo(one.summary())
    if len(checked) > 1:
        problems = [problem for one in checked for problem in one.problems]
        said = _count(problems) if problems else click.style("no problem", fg="green", bold=True)
        click.echo(f"{counted(len(checked), 'argument')}: {said}")


def _count(problems: Sequence[Problem]) -> str:
    levels = [level_of(each) for each in problems]
    words = [
        click.style(counted(levels.count(level), level), fg=colour, bold=True)
        for level, colour in (("error", "red"), ("warning", "yellow"))
        if level in levels
    ]
    return ", ".join(words)


def _check_all(files: Sequence[str], config: Config, *, strict: bool) -> list[Checked]:
    """Check each argument; all types files together, so that they are probed side by side."""
    from topcook.cli.check_types import check_types, is_types

    types = [path for path in files if is_types(path)]
    checked = dict(zip(types, check_types(types, config, strict=strict), strict=True)) if types else {}
    return [checked[path] if path in checked else _check_other(path) for path in files]


def _check_other(path: str) -> Checked:
    if not os.path.exists(path):
        # Let the reader say it: it knows what is close.
        return _check_network(path)
    return _check_item_graph(path) if _is_item_graph(path) else _check_network(path)


# networks and item graphs


def _is_item_graph(path: str) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix in {".jsonl", ".ndjson"}:
        return True
    if suffix == ".toml":
        return False
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            document = json.load(stream)
    except (OSError, ValueError):
        # Several objects, one to a line, are no JSON document; a network always is one.
        return _starts_with_an_item(path)
    return not isinstance(document, dict) or not document.keys() & {"network", "nodes", "schedulers"}


def _starts_with_an_item(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            first = json.loads(stream.readline())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "name" in first


def _check_item_graph(path: str) -> Checked:
    from topcook.model.graphfile import read_item_graph

    return _checked(path, "item graph", lambda: counted(len(read_item_graph(path)), "item"))


def _check_network(path: str) -> Checked:
    from topcook.cli.plan import make_plan
    from topcook.model.graphfile import read_network_file
    from topcook.runtime.netfile import load_network

    def look() -> str:
        plan = make_plan(load_network(path))
        for profile in read_network_file(path).profiles:
            load_network(path, profile=profile).close()
        return f"{counted(len(plan.cook.nodes), 'node')}, {counted(len(plan.items), 'item')} known before the cook"

    return _checked(path, "network", look)


def _checked(path: str, kind: str, look: Callable[[], str]) -> Checked:
    try:
        return Checked(path, kind, [], look())
    except ProblemsError as error:
        return Checked(path, kind, error.problems or [Problem("refused", str(error), path)], "")
    except TopcookError as error:
        first, _, rest = str(error).partition("\n")
        return Checked(path, kind, [Problem("refused", first, path, hint=rest or None)], "")
