"""``topcook check`` of types files, folders of them, and installed distributions that bring types."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from topcook.cli.check import Checked
from topcook.errors import Problem
from topcook.factory.examination import (
    Examined,
    bringer_of,
    candidates_of,
    distribution_candidates,
    examine,
    installed_names,
    trust_problems,
)
from topcook.factory.records import Kind
from topcook.factory.requirement import hold_to_seed

if TYPE_CHECKING:
    from topcook.config import Config
    from topcook.factory import Record
    from topcook.factory.sources import Candidate

__all__ = ["check_types", "is_types"]

_NETWORKS = (".toml", ".json", ".jsonl", ".ndjson")
_CLASS = re.compile(r"class\s+(\w+)")
_HOW = "define registerTypes(type_registry), and in it call type_registry.registerScheduler(YourClass)"


def is_types(path: str) -> bool:
    """Whether an argument means types: a Python file, a folder, or what can only be a distribution's name."""
    if os.path.exists(path):
        return os.path.isdir(path) or path.endswith(".py")
    return path.endswith(".py") or (os.path.basename(path) == path and not path.endswith(_NETWORKS))


def check_types(paths: Sequence[str], config: Config, *, strict: bool) -> list[Checked]:
    """Probe everything that the arguments mean, side by side; what ``config`` requires is asked of it, too."""
    found = {path: _candidates(path) for path in paths}
    examined = iter(examine([candidate for candidates in found.values() for candidate in candidates]))
    offered = _offered_hou()
    return [
        _checked(path, [next(examined) for _ in candidates], offered, config, strict=strict)
        for path, candidates in found.items()
    ]


def _candidates(path: str) -> list[Candidate]:
    if os.path.isfile(path) or os.path.isdir(path):
        return candidates_of(path)
    # Whoever opens a pipe waits for its writer, perhaps for ever.
    return [] if os.path.lexists(path) else distribution_candidates(path)


def _offered_hou() -> list[Problem]:
    from topcook.factory.houstub import offer_hou

    return offer_hou(os.environ)


def _checked(
    path: str, examined: Sequence[Examined], offered: list[Problem], config: Config, *, strict: bool
) -> Checked:
    contents = {_shown(file, path): content for each in examined for file, content in each.contents.items()}
    records = [record for each in examined for record in each.records]
    if not strict:
        hold_to_seed(config, records)
    problems = [problem for each in examined for problem in each.problems]
    if strict:
        problems += [problem for each in examined for record in each.records for problem in _musts(record, each)]
        problems += [warning for each in examined for warning in each.candidate.warnings]
        problems += trust_problems(path, config) if os.path.exists(path) else []
    types = [record for record in records if record.kind in {Kind.SCHEDULER, Kind.NODE} and record.usable]
    if not types and not problems:
        problems.append(_no_types(path, records))
    told = [_relative(problem, path) for problem in dict.fromkeys([*offered, *problems])]
    holds = ", ".join(f'{record.kind.value} "{record.name}"' for record in types)
    return Checked(path, "types", told, holds, contents)


def _musts(record: Record, examined: Examined) -> Iterator[Problem]:
    """What the help page calls a must and the class leaves to its base."""
    from topcook.contract.callbacks import CALLBACKS, Need

    if record.kind is not Kind.SCHEDULER:
        return
    told = {problem.message for problem in record.problems if problem.code == "missing-callback"}
    for row in CALLBACKS:
        left = row.need is Need.DEFAULTED and record.callbacks.get(row.name) == "default"
        if left and not any(f'"{row.name}"' in message for message in told):
            message = f'"{row.name}" is not implemented here; the base class answers for it'
            line, column = _class_place(record, examined)
            hint = f"add: def {row.signature}: …"
            yield Problem("not-implemented-here", message, record.origin.path, line, column, hint)


def _class_place(record: Record, examined: Examined) -> tuple[int | None, int | None]:
    """Where the class of a record begins: its line, or the nearest ``class`` above it."""
    lines = examined.contents.get(record.origin.path, b"").decode("utf-8", "replace").splitlines()
    for number in range(min(record.line or 0, len(lines)), 0, -1):
        found = _CLASS.search(lines[number - 1])
        if found:
            return number, found.start(1) + 1
    return record.line, None


def _no_types(path: str, records: Sequence[Record]) -> Problem:
    if not os.path.exists(path):
        return _nothing_there(path)
    if not os.path.isfile(path) and not os.path.isdir(path):
        return Problem("not-a-file", "it is a pipe, socket or device", path, hint="name a regular file")
    reasons = {record.reason for record in records if record.reason}
    why = f": {next(iter(reasons))}" if len(reasons) == 1 else ""
    if os.path.isfile(path) and not os.path.getsize(path):
        why = ": the file is empty"
    line, column, hint = _mistyped(path)
    return Problem("no-types", f"there is no type in it{why}", path, line, column, hint)


def _mistyped(path: str) -> tuple[int | None, int | None, str]:
    """Where a slip in its name keeps a function from being ``registerTypes``, and what to type."""
    from topcook.factory.sources import HOOK
    from topcook.factory.typestext import nearly_hook

    text = b""
    if os.path.isfile(path):
        with suppress(OSError), open(path, "rb") as file:
            text = file.read()
    found = nearly_hook(text)
    if found is None:
        return None, None, _HOW
    line = text.count(b"\n", 0, found.start(1)) + 1
    column = found.start(1) - text.rfind(b"\n", 0, found.start(1))
    return line, column, f'did you mean "{HOOK}"? Rename "{found.group(1).decode("utf-8", "replace")}"'


def _nothing_there(path: str) -> Problem:
    if os.path.islink(path):
        message = f'it is a link to "{os.readlink(path)}", and nothing is there'
        return Problem("unreadable", message, path, hint=f"ln -sfn THE_FILE {path}")
    if path.endswith(".py"):
        folder = os.path.dirname(path) or "."
        names = (
            [os.path.join(os.path.dirname(path), each) for each in os.listdir(folder)] if os.path.isdir(folder) else []
        )
        message = f'there is no file "{path}"'
    else:
        names, message = (
            installed_names(),
            f'there is no file, and no installed distribution with types, "{path}"',
        )
    if by := bringer_of(path):
        return Problem("unreadable", message, path, hint=f'"{path}" comes with a distribution: topcook check {by}')
    close = difflib.get_close_matches(path, names, n=1, cutoff=0.6)
    there = f"those that bring types: {', '.join(names)}" if names and not path.endswith(".py") else None
    return Problem("unreadable", message, path, hint=f'did you mean "{close[0]}"?' if close else there)


def _relative(problem: Problem, path: str) -> Problem:
    """Name the file as the person did, so that the place can be clicked or typed."""
    return replace(problem, path=_shown(problem.path, path)) if problem.path else problem


def _shown(file: str, path: str) -> str:
    full = os.path.abspath(path)
    if file == full:
        return path
    if file.startswith(full + os.sep):
        return os.path.normpath(os.path.join(path, os.path.relpath(file, full)))
    return file
