"""Menus made of records that no file had to give."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from topcook.cli.tab.entries import Entry, entries_of
from topcook.errors import Problem
from topcook.factory import Kind, Origin, Record, State, Tier, menu_rows
from topcook.factory.records import NEEDS_HOUDINI, BrokenEdit


def record(name: str, label: str = "", state: str = "ok", category: str = "Schedulers", path: str = "") -> Record:
    """A record in a state, named as the menu names states."""
    path = path or f"/types/{name}.py"
    made = Record(name, Origin(Tier.PATH, path), label=label or name, category=category)
    made.kind = Kind.SCHEDULER if category == "Schedulers" else Kind.NODE
    problem = Problem("missing-callback", '"onSchedule" is missing', path, 41, 9, 'did you mean "onSchedule"?')
    if state in {"invalid", "failed"}:
        made.state, made.problems = State(state), [problem]
    elif state == "needs houdini":
        made.state, made.reason, made.problems = State.FAILED, NEEDS_HOUDINI, [problem]
    elif state == "disabled":
        made.state, made.reason = State.DISABLED, "use slurm"
    elif state == "not probed":
        made.state = State.NOT_PROBED
    elif state == "edit broken":
        broken = Record(name, made.origin, State.INVALID, problems=[problem])
        made.edit = BrokenEdit((broken,), time.time(), time.time() - 600)
    return made


def entries(*records: Record) -> list[Entry]:
    """The entries that a listing of these records gives."""
    return entries_of(menu_rows(records, "all"))


#: The menu of the drawing.
def drawn_records() -> list[Record]:
    return [
        record("slurmscheduler", "Slurm Scheduler"),
        record("localscheduler", "Local Scheduler"),
        record("pythonscheduler", "Python Scheduler"),
        record("farm", "Farm v2", "edit broken"),
        record("hqueue", "HQueue", "needs houdini"),
        record("myfarm", "myfarm", "invalid"),
        record("oldfarm", "oldfarm", "disabled"),
    ]


@pytest.fixture
def drawn() -> list[Entry]:
    return entries(*drawn_records())


@pytest.fixture(scope="session")
def make() -> Callable[..., Record]:
    return record


@pytest.fixture(scope="session")
def listed() -> Callable[..., list[Entry]]:
    return entries
