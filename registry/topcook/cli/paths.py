"""``topcook paths``: where types are looked for, in which order, and how it is there."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click

from topcook.cli.configured import configuration, tell
from topcook.cli.problems import counted
from topcook.model.cells import cell_width, padded, printable
from topcook.model.userdirs import home_of, resolved

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.sources import Candidate, Rules
    from topcook.factory.typespath import TypesEntry

_FORMAT_VERSION = 1
_WIDEST = 100
_STEP = 5
_COUNT_WIDTH = 18
#: Of problems of one kind in one place, only so many are told in full.
_MOST_ALIKE = 3
#: What tells of changes on each platform.
_EVENTS = {"linux": "inotify", "darwin": "FSEvents", "win32": "ReadDirectoryChangesW"}


@dataclass(slots=True)
class _Seen:
    """One entry as it is on the disk."""

    entry: TypesEntry
    exists: bool = False
    files: int = 0
    refused: int = 0
    owner: str = ""
    group: str = ""
    mode: str = ""
    trust: str = ""
    file_system: str = ""
    watcher: str = ""
    why: str = ""
    same_as: str = ""
    problems: list[Problem] = field(default_factory=list)


@click.command("paths")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, as_json: bool) -> None:
    """Show where types are looked for, and how it is there.

    Each place in its order, with who names it.

    Of two types of one name the first one wins. Of each place it is told whether it is there, whose it is and whether
    its files are trusted, what file system it is on, how changes in it are noticed, and what to type where something
    is wrong.

    \b
    Example:
        topcook paths
        PDG_TYPES_PATH=~/my/types topcook paths
    """
    from topcook.factory.sources import Rules, entry_points
    from topcook.factory.trust import trust_of
    from topcook.factory.typespath import types_path

    config = configuration()
    path = types_path(config, os.environ)
    rules = Rules(trust_of(config, path.entries), config)
    seen = [_looked_at(entry, rules, path.problems) for entry in path.entries]
    seen += [_repeated(entry, path.entries) for entry in path.repeated]
    installed, problems = entry_points(None, config)
    builtin = _builtin(rules)
    told = {id(problem) for each in seen for problem in each.problems}
    others = [each for each in [*path.problems, *problems] if id(each) not in told]
    if as_json:
        import json

        click.echo(json.dumps(_data(seen, installed, builtin, others, path.notes), indent=2))
        return
    for line in [*_text(seen), *_behind(installed, builtin), *_told(others, "warning"), *_told(path.notes, "note")]:
        click.echo(line)
    sys.stdout.flush()
    tell(config)


# Looking


def _looked_at(entry: TypesEntry, rules: Rules, problems: Sequence[Problem]) -> _Seen:
    from topcook.factory.filesystems import file_system
    from topcook.factory.sources import candidates_in, path_warnings
    from topcook.factory.trust import group_name, owner_name

    seen = _Seen(entry, problems=[each for each in problems if each.path == entry.path])
    try:
        status = os.stat(entry.path)
    except (OSError, ValueError):
        return seen
    found = candidates_in(entry, rules)
    seen.exists, seen.files = True, len(found)
    seen.refused = sum(bool(each.refused) for each in found)
    seen.mode = f"{stat.S_IMODE(status.st_mode):o}"
    if rules.trust is not None and rules.trust.checked:
        seen.owner, seen.group = owner_name(status.st_uid), group_name(status.st_gid)
    seen.file_system = file_system(entry.path).kind
    seen.watcher, seen.why = _watcher(entry.path)
    seen.problems += _of_trust(seen, found, rules, status)
    seen.problems += path_warnings(entry, found, rules.trust)
    return seen


def _of_trust(seen: _Seen, found: Sequence[Candidate], rules: Rules, status: os.stat_result) -> list[Problem]:
    """Set the verdict; returns each problem of the place and its files once."""
    if rules.trust is None or not rules.trust.checked:
        seen.trust = "not checked"
        return []
    subject = "directory" if stat.S_ISDIR(status.st_mode) else "file"
    problems = [*rules.trust.refused(seen.entry.path, status, subject)]
    seen.trust = "refused" if problems else "trusted"
    problems += [problem for each in found for problem in each.refused]
    return list(dict.fromkeys(problems))


def _watcher(path: str) -> tuple[str, str]:
    """What notices changes there, and why it is not the system's own events."""
    from topcook.factory.watching.places import places_of
    from topcook.factory.watching.survey import survey

    (place,) = places_of([survey(path)])
    if place.events:
        return _EVENTS.get(sys.platform, "events"), ""
    return f"polling every {place.seconds:g} s", place.why


def _repeated(entry: TypesEntry, entries: Sequence[TypesEntry]) -> _Seen:
    place = resolved(entry.path)
    first = next((each.path for each in entries if resolved(each.path) == place), "")
    return _Seen(entry, os.path.exists(entry.path), same_as=first)


def _builtin(rules: Rules) -> tuple[str, int]:
    from topcook.factory.records import Tier
    from topcook.factory.sources import candidates_in
    from topcook.factory.typespath import TypesEntry, builtin_types_dir

    entry = TypesEntry(builtin_types_dir(), Tier.BUILTIN, "built-in")
    return entry.path, len(candidates_in(entry, rules))


# Text


def _text(seen: Sequence[_Seen]) -> Iterator[str]:
    """The entries of the types path: path and number of files, below them who names it and how it is there."""
    if not seen:
        yield "no types path: set PDG_TYPES_PATH, or HOME for a directory of your own"
    for number, each in enumerate(seen, 1):
        yield from _entry(f"{number:>3}  " if not each.same_as else "     ", each)


def _entry(head: str, each: _Seen) -> Iterator[str]:
    room = _room() - _STEP - _COUNT_WIDTH
    path = printable(_short(each.entry.path))
    count, colour = _count(each)
    named_by = printable(_short(each.entry.named_by))
    if cell_width(path) > room:
        # Never cut: a path is there to be copied.
        yield head + click.style(path, bold=each.exists, dim=not each.exists)
        yield " " * _STEP + click.style(count, fg=colour)
    else:
        yield (
            head
            + click.style(padded(path, room), bold=each.exists, dim=not each.exists)
            + click.style(count, fg=colour)
        )
    yield from _folded(named_by)
    if each.mode:
        yield from _folded(", ".join(_facts(each)))
    for code in dict.fromkeys(problem.code for problem in each.problems):
        alike = [problem for problem in each.problems if problem.code == code]
        for problem in alike[:_MOST_ALIKE]:
            yield from _problem(problem, "refused" if _is_refusal(problem) else "warning")
        if len(alike) > _MOST_ALIKE:
            yield from _folded(f"and {len(alike) - _MOST_ALIKE} more like it: topcook list, or topcook paths --json")


def _is_refusal(problem: Problem) -> bool:
    return problem.message.startswith("not executed") or problem.code == "unreadable"


def _count(each: _Seen) -> tuple[str, str | None]:
    if each.same_as:
        return "same place", "bright_black"
    if not each.exists:
        return "not there", "red" if each.entry.expected else "bright_black"
    if each.refused:
        return f"{each.refused} of {counted(each.files, 'file')} refused", "red"
    return counted(each.files, "file"), None


def _facts(each: _Seen) -> list[str]:
    owned = f"{each.owner}:{each.group} {each.mode}" if each.owner else f"mode {each.mode}"
    trust = each.trust if each.owner else "owners are not checked here"
    changes = f"changes by {each.watcher}" + (f", because {each.why}" if each.why else "")
    return [owned, trust, *([each.file_system] if each.file_system else []), changes]


def _behind(installed: Sequence[Candidate], builtin: tuple[str, int]) -> Iterator[str]:
    """What follows the types path: distributions, each entry point, and the built-ins."""
    yield from _group("entry points of installed distributions", counted(len(installed), "entry point"))
    for each in installed:
        yield from _folded(f"{each.origin.distribution} {each.origin.version}: {each.stem} = {each.path}")
        if each.disabled:
            yield from _folded(f"disabled: {each.disabled}")
        for problem in each.refused:
            yield from _problem(problem, "refused")
    yield from _group("built-in types", counted(builtin[1], "file"))
    yield from _folded(_short(builtin[0]))


def _group(name: str, count: str) -> Iterator[str]:
    yield " " * _STEP + click.style(padded(name, _room() - _STEP - _COUNT_WIDTH), bold=True) + count


def _told(problems: Sequence[Problem], level: str) -> Iterator[str]:
    for problem in problems:
        yield from _problem(problem, level)


def _problem(problem: Problem, level: str) -> Iterator[str]:
    colour = {"refused": "red", "warning": "yellow"}.get(level, "cyan")
    lines = list(_wrapped(f"{level}: {printable(problem.message)}"))
    if problem.path and printable(problem.path) not in problem.message:
        lines += _wrapped(f"in {printable(_short(problem.place))}")
    lines += [line for hint in (problem.hint or "").splitlines() for line in _wrapped(f"-> {printable(hint)}")]
    yield from (" " * _STEP + click.style(line, fg=colour) for line in lines)


def _folded(text: str) -> Iterator[str]:
    yield from (" " * _STEP + click.style(line, dim=True) for line in _wrapped(text))


def _wrapped(text: str) -> list[str]:
    import textwrap

    # A command is copied as it stands, so no word of it is broken.
    return textwrap.wrap(text, _room() - _STEP, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")


def _short(text: str) -> str:
    home = home_of()
    return text.replace(home + os.sep, f"~{os.sep}") if home and home != os.sep else text


def _room() -> int:
    return min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)


# JSON


def _data(
    seen: Sequence[_Seen],
    installed: Sequence[Candidate],
    builtin: tuple[str, int],
    problems: Sequence[Problem],
    notes: Sequence[Problem],
) -> dict[str, Any]:
    return {
        "version": _FORMAT_VERSION,
        "entries": [_entry_data(each) for each in seen],
        "entry_points": [
            {
                "name": each.stem,
                "value": each.path,
                "distribution": each.origin.distribution,
                "version": each.origin.version,
                "disabled": each.disabled or None,
                "problems": [asdict(problem) for problem in each.refused],
            }
            for each in installed
        ],
        "builtin": {"path": builtin[0], "files": builtin[1]},
        "problems": [asdict(problem) for problem in problems],
        "notes": [asdict(problem) for problem in notes],
    }


def _entry_data(each: _Seen) -> dict[str, Any]:
    empty_is_none = ("owner", "group", "mode", "trust", "file_system", "watcher", "why", "same_as")
    return {
        "path": each.entry.path,
        "named_by": each.entry.named_by,
        "named_by_user": each.entry.named,
        "exists": each.exists,
        "files": each.files,
        "refused": each.refused,
        **{name: getattr(each, name) or None for name in empty_is_none},
        "problems": [asdict(problem) for problem in each.problems],
    }
