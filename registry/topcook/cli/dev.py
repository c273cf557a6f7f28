"""``topcook dev``: check, probe and cook a types file at each save; the loop that its author lives in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from topcook.cli.examining import examined
from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.problems import counted, print_problems
from topcook.scaffold import KINDS, TypeNames, main_file, new_network

if TYPE_CHECKING:
    from topcook.factory import Record

#: Names of the statuses with which a cook may end.
_ENDS = {0: "cooked", 1: "not everything cooked", 2: "refused", 130: "interrupted"}


@click.command("dev")
@click.argument("file", type=click.Path())
@click.option("--network", metavar="FILE", help="The network to cook; by default the one beside it, else a tiny one.")
@click.option("--limit", default=60.0, show_default=True, metavar="SECONDS", help="End a cook that takes longer.")
@click.option("--once", is_flag=True, help="Once, without waiting for saves; the exit status says how it went.")
def command(*, file: str, network: str | None, limit: float, once: bool) -> int:
    """Check a types file and cook with it, again at each save.

    FILE is a types file (.py) or a package. What is wrong with it is shown as check shows it; what is right cooks
    a network of a few work items in a process of its own. NETWORK's default is the .toml of the same name beside
    FILE, as new writes it. Ctrl-C ends it.

    \b
    Example:
        topcook dev myfarm.py
        topcook dev myfarm.py --network shot.toml --limit 300
    """
    from topcook.factory import check_pdg_is_ours

    check_pdg_is_ours()
    main = os.path.abspath(main_file(file))
    loop = _Loop(main, network, limit)
    fine = loop.turn()
    if once:
        return COOKED if fine else UNCOOKED
    from topcook.factory.watching.saves import Saves

    watched = [os.path.dirname(main), *([os.path.abspath(network)] if network else [])]
    with Saves(watched) as saves:
        for note in saves.notes:
            click.echo(f"note: {note}", err=True)
        while True:
            click.secho(f"waiting for a save of {file} (Ctrl-C ends)", dim=True)
            saves.wait()
            loop.turn()


class _Loop:
    """One file, looked at again and again."""

    def __init__(self, main: str, network: str | None, limit: float) -> None:
        self.main, self.network, self.limit = main, network, limit
        self.turns = 0

    def turn(self) -> bool:
        """Check and cook once; whether all went well."""
        self.turns += 1
        if self.turns > 1:
            click.echo()
        click.secho(f"{time.strftime('%H:%M:%S')}  {os.path.relpath(self.main)}", bold=True)
        started = time.monotonic()
        records = examined(self.main)
        problems = [problem for record in records for problem in record.problems]
        print_problems(problems)
        types = [record for record in records if record.usable]
        _tell(not problems and bool(types), "check", _checked(records, len(problems)), time.monotonic() - started)
        scheduler = next((record for record in types if record.kind.value == "scheduler"), None)
        if scheduler is None:
            return bool(types) and not problems
        return self._cook(scheduler) and not problems

    def _cook(self, scheduler: Record) -> bool:
        with _network(self.network, self.main, scheduler) as network:
            started = time.monotonic()
            status, said = _run_cook(network, scheduler.name, self.main, self.limit)
            how = "took too long, and was ended" if status is None else _ENDS.get(status, f"ended with {status}")
            if status != COOKED:
                click.echo(said.rstrip())
            told = next((line for line in said.splitlines() if line.startswith("cooked")), how)
            _tell(status == COOKED, "cook", told if status == COOKED else how, time.monotonic() - started)
        return status == COOKED


def _checked(records: list[Record], problems: int) -> str:
    types = [f'{record.kind.value} "{record.name}"' for record in records if record.usable]
    told = ", ".join(types) or next((record.reason for record in records if record.reason), "no type that can be used")
    return f"{told}; {counted(problems, 'problem')}" if problems else told


def _tell(good: bool, what: str, how: str, seconds: float) -> None:
    mark = click.style("ok    " if good else "FAILED", fg="green" if good else "red", bold=True)
    click.echo(f"  {mark}  {what:6}{how}  ({seconds:.2f} s)")


@contextmanager
def _network(given: str | None, main: str, scheduler: Record) -> Iterator[str]:
    """The network to cook: the one that was named, the one beside the file, or a tiny one that goes afterwards."""
    beside = Path(os.path.dirname(main) if main.endswith("__init__.py") else main).with_suffix(".toml")
    if given is not None or beside.is_file():
        yield given or str(beside)
        return
    with tempfile.TemporaryDirectory(prefix="topcook-dev-") as folder:
        names = TypeNames(scheduler.name, "", scheduler.label)
        network = Path(folder, "tiny.toml")
        network.write_text(new_network(names, KINDS["poll"]), encoding="utf-8")
        yield str(network)


def _run_cook(network: str, scheduler: str, main: str, limit: float) -> tuple[int | None, str]:
    """Cook in a process of its own, this file's types before all others; (exit status or None, what was said)."""
    types = os.pathsep.join(filter(None, [main, os.environ.get("PDG_TYPES_PATH", "")]))
    command = [sys.executable, "-m", "topcook", "cook", network, "--scheduler", scheduler, "--progress", "off"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PDG_TYPES_PATH": types},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
    )
    try:
        said, _ = process.communicate(timeout=limit)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        # Asked first: a cook that is told to end ends its jobs.
        process.terminate()
        try:
            said, _ = process.communicate(timeout=10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        return None, said
    except KeyboardInterrupt:
        # The terminal has told the cook as well; it ends its jobs before it goes.
        process.wait(40.0)
        raise
