"""``topcook check``: every mistake of a scheduler file, a network or an item graph, each with its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.problems import counted, print_problems
from topcook.errors import GraphFileError, Problem, ProblemsError, TopcookError
from topcook.factory import Factory, Kind, Record, check_pdg_is_ours

_FORMAT_VERSION = 1


@dataclass(slots=True)
class Checked:
    """What was found in one file; ``kind`` is types, network or item graph, ``holds`` says what is in it."""

    path: str
    kind: str
    problems: list[Problem]
    holds: str


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--strict", is_flag=True, help="Demand all that the help page calls a must, in the file itself.")
@click.option("--parms", is_flag=True, help="Instead: print the parms that scheduler files read and do not declare.")
@click.option("--json", "as_json", is_flag=True, help="Print the problems (or parms) as JSON.")
def command(*, files: tuple[str, ...], strict: bool, parms: bool, as_json: bool) -> int:
    """Find every mistake in scheduler files and networks.

    FILE is a types file (.py, or a folder of them), a network (.toml, .json) or an item graph (.json, .jsonl).
    Types files are executed as they would be to list them; of a network the work items that are known before
    a cook are made. Nothing is scheduled. The exit status is 0 when all is well, 1 when there are problems.

    --parms prints the parms that a scheduler file reads and that nobody declares, as spare parms for a network:
    those of files written for Houdini often sit in an asset.

    \b
    Example:
        topcook check ~/my/types/myfarm.py
        topcook check --strict myfarm.py network.toml
        topcook check --parms myfarm.py >> network.toml
    """
    check_pdg_is_ours()
    if parms:
        from topcook.cli.check_parms import show_parms

        return show_parms(files, as_json=as_json)
    checked = [_check(path, strict=strict) for path in files]
    if as_json:
        rows = [(one, [each.row() for each in one.problems]) for one in checked]
        found = [{"path": one.path, "kind": one.kind, "problems": problems} for one, problems in rows]
        click.echo(json.dumps({"version": _FORMAT_VERSION, "files": found}, indent=2))
    else:
        for one in checked:
            _print(one)
    return UNCOOKED if any(one.problems for one in checked) else COOKED


def _print(one: Checked) -> None:
    print_problems(one.problems)
    if one.problems:
        click.echo(f"{one.path}: {click.style(counted(len(one.problems), 'problem'), fg='red', bold=True)}")
    else:
        click.echo(f"{one.path}: {click.style('ok', fg='green', bold=True)}, {one.holds}")


def _check(path: str, *, strict: bool) -> Checked:
    if not os.path.exists(path):
        # Let the reader say it: it knows what is close.
        return _check_network(path)
    if os.path.isdir(path) or path.endswith(".py"):
        return _check_types(path, strict=strict)
    return _check_item_graph(path) if _is_item_graph(path) else _check_network(path)


# types files


def _check_types(path: str, *, strict: bool) -> Checked:
    from topcook.factory.houstub import offer_hou
    from topcook.factory.quiet import captured_output

    factory = Factory([])
    factory.problems += offer_hou(os.environ)
    with captured_output():
        factory.add_path(os.path.abspath(path))
        records = factory.records
        problems = [problem for record in records for problem in record.problems]
        if strict:
            problems += [problem for record in records for problem in _musts(record)]
    problems += factory.problems
    types = [record for record in records if record.kind in {Kind.SCHEDULER, Kind.NODE} and record.usable]
    if not types and not problems:
        problems.append(_no_types(path, records))
    shown = ", ".join(f'{record.kind.value} "{record.name}"' for record in types)
    return Checked(path, "types", [_relative(p, path) for p in dict.fromkeys(problems)], shown)


def _musts(record: Record) -> list[Problem]:
    """What the help page calls a must and the class leaves to its base."""
    from topcook.contract.validate import validate_scheduler

    if record.kind is not Kind.SCHEDULER or record.type_object is None:
        return []
    return list(validate_scheduler(record.type_object, strict=True))


def _no_types(path: str, records: list[Record]) -> Problem:
    reasons = {record.reason for record in records if record.reason}
    why = f": {next(iter(reasons))}" if len(reasons) == 1 else ""
    hint = "define registerTypes(type_registry), and in it call type_registry.registerScheduler(YourClass)"
    return Problem("no-types", f"there is no type in it{why}", path, hint=hint)


def _relative(problem: Problem, path: str) -> Problem:
    """Name the file as the person did, so that the place can be clicked or typed."""
    from dataclasses import replace

    full = os.path.abspath(path)
    if problem.path == full:
        return replace(problem, path=path)
    if problem.path and problem.path.startswith(full + os.sep):
        return replace(problem, path=os.path.join(path, os.path.relpath(problem.path, full)))
    return problem


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
    from topcook.runtime.netfile import load_network

    def look() -> str:
        plan = make_plan(load_network(path))
        return f"{counted(len(plan.cook.nodes), 'node')}, {counted(len(plan.items), 'item')} known before the cook"

    return _checked(path, "network", look)


def _checked(path: str, kind: str, look: Callable[[], str]) -> Checked:
    try:
        return Checked(path, kind, [], look())
    except ProblemsError as error:
        if isinstance(error, GraphFileError) or error.problems:
            return Checked(path, kind, error.problems, "")
        return Checked(path, kind, [Problem("refused", str(error), path)], "")
    except TopcookError as error:
        first, _, rest = str(error).partition("\n")
        return Checked(path, kind, [Problem("refused", first, path, hint=rest or None)], "")
