"""``topcook check --parms``: the parms that scheduler files read and do not declare, to be pasted into a network."""

from __future__ import annotations

import json
import linecache
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.problems import problem_text
from topcook.contract.parmreads import ParmRead, parm_reads
from topcook.errors import Problem
from topcook.factory import Factory, Kind
from topcook.lean import dataclass
from topcook.model.builtinparms import SCHEDULER_PARMS
from topcook.model.parms import Parms, ParmSpec
from topcook.model.tomltext import toml_value

if TYPE_CHECKING:
    from topcook.factory import Record

_BLANKS: dict[str, object] = {"String": "", "Integer": 0, "Float": 0.0, "Toggle": False}


@dataclass(slots=True)
class Undeclared:
    """A parm of a scheduler that no template declares, and the file that reads it."""

    scheduler: str
    path: str
    read: ParmRead

    @property
    def type(self) -> str:
        """Its type, String where nothing tells."""
        return self.read.type or "String"

    @property
    def value(self) -> object:
        """The default of the call that reads it, else a blank."""
        default = self.read.default
        if default is None or (isinstance(default, str) and self.type != "String"):
            return _BLANKS[self.type]
        return {"Float": float, "Toggle": bool, "String": str}.get(self.type, lambda each: each)(default)


def show_parms(files: tuple[str, ...], *, as_json: bool) -> int:
    """Print the parms of each file; answers the exit status: 1 when a file cannot be read."""
    problems: list[Problem] = []
    found: dict[str, list[Undeclared]] = {}
    for path in files:
        found[path] = list(_undeclared(path, problems))
    if as_json:
        rows = [{"path": path, "parms": [_row(each) for each in parms]} for path, parms in found.items()]
        click.echo(json.dumps({"version": 1, "files": rows}, indent=2))
    else:
        for path, parms in found.items():
            click.echo("\n".join(_text(path, parms)))
    for problem in problems:
        click.echo(problem_text(problem), err=True)
    return UNCOOKED if problems else COOKED


def _row(each: Undeclared) -> dict[str, Any]:
    return {
        "scheduler": each.scheduler,
        "name": each.read.name,
        "type": each.type,
        "type_is_known": each.read.type is not None,
        "value": each.value,
        "tags": ["jobParm"] if each.read.overridable else [],
        "place": f"{each.path}:{each.read.line}",
    }


def _text(path: str, parms: list[Undeclared]) -> Iterator[str]:
    if not parms:
        yield f"# {path}: every parm that is read is declared"
        return
    yield f"# {path} reads what it does not declare: paste it into the network, NAME being its scheduler's name."
    for each in parms:
        yield ""
        yield "[[schedulers.NAME.spare]]"
        yield f"name = {toml_value(each.read.name)}"
        unsure = "" if each.read.type else "  # nothing says which"
        yield f"type = {toml_value(each.type)}{unsure}"
        if not each.read.name.endswith("#"):
            yield f"value = {toml_value(each.value)}"
        if each.read.overridable:
            yield 'tags = ["jobParm"]'
        yield f"# read at {each.path}:{each.read.line}"


def _undeclared(path: str, problems: list[Problem]) -> Iterator[Undeclared]:
    from topcook.factory.houstub import offer_hou
    from topcook.factory.quiet import captured_output

    factory = Factory([])
    problems += offer_hou(os.environ)
    with captured_output():
        factory.add_path(os.path.abspath(path))
    schedulers = [each for each in factory.records if each.kind is Kind.SCHEDULER and each.type_object is not None]
    for record in schedulers:
        yield from _of_record(record)
    if not schedulers:
        # A file that does not load (it may need Houdini) can still be read.
        yield from _of_text(path, problems)


def _of_record(record: Record) -> Iterator[Undeclared]:
    from topcook.contract.source import is_ours, path_of

    declared = _declared(record.parms)
    told: set[str] = set()
    for cls in (record.type_object or object).__mro__:
        path = path_of(cls) if cls is not object and not is_ours(cls) else None
        if path is None:
            continue
        for read in parm_reads("".join(linecache.getlines(path)), [cls.__name__]):
            if read.name not in told and not _is_declared(declared, read.name):
                told.add(read.name)
                yield Undeclared(record.name, os.path.relpath(path), read)


def _of_text(path: str, problems: list[Problem]) -> Iterator[Undeclared]:
    file = os.path.join(path, "__init__.py") if os.path.isdir(path) else path
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            reads = parm_reads(stream.read())
    except OSError as error:
        problems.append(Problem("unreadable", f"cannot be read: {error.strerror or error}", file))
        return
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        problems.append(Problem("syntax", f"this is no Python: {getattr(error, 'msg', error)}", file, line, column))
        return
    declared = _declared(())
    yield from (Undeclared("", file, read) for read in reads if not _is_declared(declared, read.name))


def _declared(specs: tuple[ParmSpec, ...]) -> Parms:
    parms = Parms()
    parms.declare([*SCHEDULER_PARMS, *specs])
    return parms


def _is_declared(parms: Parms, name: str) -> bool:
    return parms.spec_for(name) is not None or (name.endswith("#") and parms.spec_for(name[:-1] + "1") is not None)
