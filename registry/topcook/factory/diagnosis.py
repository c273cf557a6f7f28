"""Why a type is, or is not, in the menu: every link of the chain from a path entry to a row, in plain words.

The chain ends at its first broken link, and that link names the one thing to do next.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from topcook.contract.tolerated import TOLERATED
from topcook.factory.menu import row_of
from topcook.factory.names import state_told
from topcook.factory.records import NEEDS_HOUDINI, Origin, Record, State, Tier
from topcook.lean import dataclass, field
from topcook.model.cells import printable

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.typespath import TypesEntry

__all__ = ["BAD", "GOOD", "NOTE", "ODD", "Diagnosis", "Finding", "Scene", "chain_of", "file_facts", "python_told"]

#: How a finding is meant. A diagnosis with a BAD one is not healthy; an ODD one is a warning.
GOOD, ODD, BAD, NOTE = "ok", "warning", "problem", "note"

#: The links between a file that is seen and a row in the menu, with what is said of one that holds.
_LINKS: dict[str, str] = {
    "trust": "nobody but its trusted owners can have written it",
    "block list": "nothing in the configuration blocks it",
    "text": "it says registerTypes, so it is a types file",
    "execution": "it was executed, and registered what it has",
    "contract": "its class is what a scheduler or node has to be",
    "name": "it is the one that answers to its name",
}
#: How many problems of a file are told here.
_MOST = 3
#: Seconds that are no age worth telling.
_JUST_NOW = 2.0
_UNTRUSTED = ("untrusted-", "group-writable", "writable-above")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: what it is about, how it is meant (GOOD, ODD, BAD, NOTE), the sentence, and what to type.

    ``place`` is ``path:line:column`` of what is wrong, where it is in a file.
    """

    topic: str
    state: str
    text: str
    hint: str = ""
    place: str = ""

    @property
    def remedy(self) -> str:
        """What to do about it on one line, with the place where it is not a command."""
        first = self.hint.partition("\n")[0]
        return (
            f"{self.place}: {first}" if self.place and first and not first.startswith(("topcook ", "chmod ")) else first
        )

    def row(self) -> dict[str, Any]:
        """The finding as plain data."""
        texts = {"text": self.text, "place": self.place or None, "hint": self.hint or None}
        return {"topic": self.topic, "state": self.state, **texts}


@dataclass(slots=True)
class Diagnosis:
    """All that was found out about a name, a path or the installation, and the one thing to do ``next``."""

    subject: str
    verdict: str
    findings: list[Finding] = field(default_factory=list)
    otherwise: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be mended."""
        return all(finding.state != BAD for finding in self.findings)

    @property
    def next(self) -> str:
        """The one thing to do: what mends the first problem, else what a healthy one can be used for."""
        remedies = (each.remedy for each in self.findings if each.state == BAD and each.remedy)
        return next(remedies, self.otherwise if self.healthy else "")

    def data(self) -> dict[str, Any]:
        """The diagnosis as plain data; its schema is ``topcook/model/schemas/doctor.schema.json``."""
        return {
            "version": 1,
            "subject": self.subject,
            "verdict": self.verdict,
            "healthy": self.healthy,
            "next": self.next or None,
            "findings": [finding.row() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """What a diagnosis looks at: the factory's records and problems, the types path, the environment.

    ``examine`` gives the records of a file that need not be on the types path. ``watched`` and ``file_systems`` say for
    an entry's path how changes there are noticed and on what it lies. ``ages`` are for the path of a file the seconds
    since what is kept of it was found out; ``index`` is what there is to say of the index itself.
    """

    records: Sequence[Record]
    problems: Sequence[Problem]
    entries: Sequence[TypesEntry]
    builtins: str
    environ: Mapping[str, str]
    examine: Callable[[str], Sequence[Record]]
    watched: Mapping[str, str] = field(default_factory=dict)
    file_systems: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    index: Sequence[Finding] = ()


def chain_of(record: Record, scene: Scene) -> Iterator[Finding]:
    """Every link from where a record comes from to its row in the menu, up to the first that is broken."""
    yield Finding("python", NOTE, python_told())
    yield from _where_from(record.origin, scene)
    broken = _broken_link(record)
    if broken == "file":
        yield from _problems("file", record)
        return
    for link, sentence in _LINKS.items():
        if link == "text" and record.origin.tier is Tier.ENTRY_POINT:
            continue
        if link == broken:
            yield from _kept(link, record, scene)
            yield from _broken(link, record)
            return
        if link == "trust":
            yield from _trusted(record.origin, scene, sentence)
        else:
            yield Finding(link, GOOD, _held(link, record, scene) or sentence)
        if link == "contract":
            # What is tolerated keeps a type from nothing, and is told all the same.
            yield from _problems(link, record)
    row = row_of(record)
    yield Finding("menu", GOOD, f'{row.category} > {row.label}; ask for it as "{row.name}"')


def _broken_link(record: Record) -> str:
    """The link at which a record's way to the menu ended; empty for one that is in it."""
    if record.state is State.FAILED:
        code = next((each.code for each in record.problems), "")
        if code.startswith(_UNTRUSTED):
            return "trust"
        return "file" if code in _FILE_CODES else "execution"
    return {
        State.DISABLED: "block list",
        State.SKIPPED: "text",
        State.NOT_PROBED: "execution",
        State.INVALID: "contract",
        State.SHADOWED: "name",
    }.get(record.state, "")


#: Problems of the file itself: nobody came so far as to look into it.
_FILE_CODES = frozenset({"unreadable"})


def _broken(link: str, record: Record) -> Iterator[Finding]:
    if record.problems:
        yield from _problems(link, record)
    elif record.state is State.NOT_PROBED:
        hint = f"wait, or look at it at once: topcook check {record.origin.path}"
        yield Finding(link, ODD, printable(state_told(record)), hint)
    elif record.shadowed_by is not None:
        winner = record.shadowed_by
        hint = "rename one of them, or let its entry stand further left on the types path"
        yield Finding(
            link, BAD, f'"{printable(record.name)}" is answered by {printable(winner.place)}, which comes first', hint
        )
    elif record.state is State.SKIPPED:
        hint = f"if it is a types file, add to {record.origin.path}: def registerTypes(type_registry): …"
        yield Finding(link, BAD, printable(record.reason), hint)
    else:
        hint = "take that block out, or ask whoever put it there; topcook config says which files there are"
        yield Finding(link, BAD, printable(state_told(record)), hint)


def _problems(link: str, record: Record) -> Iterator[Finding]:
    """The first problems of a record; the others are for ``check`` to tell, with the lines they stand in."""
    for problem in record.problems[:_MOST]:
        place = printable(problem.place) if problem.path else ""
        state = ODD if problem.code in TOLERATED or record.reason == NEEDS_HOUDINI else BAD
        state = BAD if state is ODD and record.state is State.FAILED else state
        hint = problem.hint or f"topcook check {record.origin.path}"
        hint = "\n".join(map(printable, hint.splitlines()))
        yield Finding(link, state, printable(problem.message), hint, place)
    more = len(record.problems) - _MOST
    if more > 0:
        text = f"and {more} more problem{'' if more == 1 else 's'}"
        yield Finding(link, ODD, text, f"topcook check {printable(record.origin.path)}")


def _trusted(origin: Origin, scene: Scene, sentence: str) -> Iterator[Finding]:
    """Why a file that was executed was trusted, and what is risky about that."""
    if origin.tier is Tier.BUILTIN:
        yield Finding("trust", GOOD, "it came with Topcook")
        return
    if not hasattr(os, "getuid"):
        yield Finding("trust", NOTE, "not checked: this system does not tell who owns a file")
        return
    risks = [each for each in scene.problems if each.code.startswith(_UNTRUSTED) and each.path]
    risks = [each for each in risks if (origin.path + os.sep).startswith(os.path.join(str(each.path), ""))]
    for each in risks:
        yield Finding("trust", ODD, printable(each.message), printable(each.hint or ""))
    if not risks:
        yield Finding("trust", GOOD, sentence)


def _kept(link: str, record: Record, scene: Scene) -> Iterator[Finding]:
    """That a failure is an earlier one, which is believed while no file of it changes."""
    age = scene.ages.get(record.origin.path, 0.0)
    if link == "execution" and age >= _JUST_NOW and record.problems:
        hint = f"to execute it again all the same: topcook check {printable(record.origin.path)}"
        yield Finding(link, NOTE, f"executed {_ago(age)}; the file has not changed since", hint)


def _ago(seconds: float) -> str:
    """``14 min ago``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now" if seconds < _JUST_NOW else f"{seconds:.0f} s ago"


def _held(link: str, record: Record, scene: Scene) -> str:
    """What is worth saying of a link that holds; empty for its ordinary sentence."""
    if link == "execution" and record.import_ms:
        age = scene.ages.get(record.origin.path)
        when = f", {_ago(age)}" if age is not None else ""
        since = "; the file has not changed since" if age is not None and age >= _JUST_NOW else ""
        return f"executed in {record.import_ms:.0f} ms{when}{since}"
    if link == "contract" and record.callbacks:
        own = sum(found == "implemented" for found in record.callbacks.values())
        return f"{own} callback{'' if own == 1 else 's'} of its own, every one as it has to be"
    if link == "name" and record.shadows:
        return f"it comes before {printable(', '.join(each.place for each in record.shadows))}"
    return ""


# Where a record comes from


def _where_from(origin: Origin, scene: Scene) -> Iterator[Finding]:
    if origin.tier is Tier.ENTRY_POINT:
        text = f"{origin.distribution} {origin.version} is installed in this Python and offers {origin.path}"
        yield Finding("distribution", GOOD, printable(text))
        return
    if origin.tier is Tier.BUILTIN:
        yield Finding("types path", GOOD, f"built-in: {printable(scene.builtins)} is looked into last")
    else:
        yield _entry(origin, scene)
    yield from file_facts(origin.path)


def _entry(origin: Origin, scene: Scene) -> Finding:
    for number, entry in enumerate(scene.entries, 1):
        if entry.path in {origin.root, origin.path}:
            text = f"{entry.path} ({entry.named_by}) is entry {number} of {len(scene.entries)}"
            extra = [scene.file_systems.get(entry.path, ""), scene.watched.get(entry.path, "")]
            return Finding("types path", GOOD, printable(", ".join([text, *filter(None, extra)])))
    return Finding("types path", NOTE, f"{printable(origin.root or origin.path)} was added by the running program")


def file_facts(path: str) -> Iterator[Finding]:
    """What there is to say of a file or directory itself: whose it is, who may read and write it."""
    try:
        status = os.stat(path)
    except OSError as error:
        target = f", a link to {os.readlink(path)}" if os.path.islink(path) else ""
        text = f"{path}{target}: {error.strerror or error}"
        yield Finding("file", BAD, printable(text), f"ls -l {path}")
        return
    kind = "directory" if stat.S_ISDIR(status.st_mode) else f"{status.st_size:,} bytes"
    text = f"{path}, {kind}, {stat.filemode(status.st_mode)}, owner {_owner(status.st_uid)}"
    readable = os.access(path, os.R_OK)
    yield Finding("file", GOOD if readable else BAD, printable(text), "" if readable else f"chmod u+r {path}")


def _owner(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def python_told() -> str:
    """Which Python this is, and whose environment."""
    version = sys.version.partition(" ")[0]
    inside = f", the virtual environment {sys.prefix}" if sys.prefix != sys.base_prefix else ""
    return printable(f"{sys.executable or 'a Python without executable'}, {version}{inside}")
