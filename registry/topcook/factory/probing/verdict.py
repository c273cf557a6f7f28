"""What the end of a worker says of the file that was in work: its status, its last stack, its output."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

from topcook.factory.probing.guess import guessed
from topcook.factory.probing.traits import trait_problem
from topcook.factory.records import State, Tier
from topcook.factory.wire import ProbeReport, files_of, record_data
from topcook.lean import dataclass, field

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.sources import Candidate
    from topcook.factory.wire import FileRead

__all__ = ["BROKEN", "CUT_OFF", "Ending", "Sources", "not_probed", "read_again", "verdict"]

#: The exit status of a worker whose own descriptors were closed: all it can still say.
CUT_OFF = 86
#: That of one whose own code was broken by what a file replaced.
BROKEN = 87
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in ', re.MULTILINE)


@dataclass(slots=True)
class Ending:
    """How a worker ended: why we ended it (``endless``, ``prints-endlessly``, ``garbled``, or nothing: it did itself).

    ``status`` is as ``subprocess`` gives it, None for one that had cut its connection and went on. ``dump`` is what
    ``faulthandler`` wrote last.
    """

    cause: str
    status: int | None
    dump: str
    seconds: float = 0.0
    mebibytes: int = 0

    def place(self, candidate: Candidate) -> tuple[str, int] | None:
        """The deepest line of the candidate's directory on the stack of the thread that ran last."""
        directory = os.path.join(os.path.dirname(candidate.path), "")
        start = self.dump.rfind("Current thread")
        stacks = self.dump[max(start, 0) :].split("\n\n")
        for path, line in _FRAME.findall(stacks[0] if start >= 0 else self.dump):
            if path.startswith(_escaped(directory)) or path == _escaped(candidate.path):
                # faulthandler writes ASCII: of a file with another name we know at least the one we asked for.
                name = os.path.join(directory, os.path.basename(path))
                return (name if os.path.exists(name) else candidate.path), int(line)
        return None


def _escaped(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode("ascii")


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a candidate that cannot tell itself any more, and the version that they are."""

    files: list[FileRead] = field(default_factory=list)
    digest: str = ""


def verdict(candidate: Candidate, ending: Ending) -> ProbeReport:
    """The report on a file that ended its worker."""
    content, sources = read_again(candidate)
    problem = _problem(candidate, content, ending)
    # Its classes may have mistakes of their own, to be mended at once; their text is enough, nothing is executed.
    from topcook.contract.static_validate import static_problems

    found = static_problems(content, candidate.path) if content else []
    record = guessed(candidate, content, State.FAILED, [problem, *found])
    record.content_hash = sources.digest
    # A time-out may be a server that was away, and SIGKILL a machine that was short of memory.
    return ProbeReport([record_data(record)], sources.files, transient=problem.code in {"endless", "killed"})


def _problem(candidate: Candidate, content: bytes, ending: Ending) -> Problem:
    place = ending.place(candidate)
    if ending.cause == "endless":
        return trait_problem("endless", candidate, content, place, seconds=ending.seconds)
    if ending.cause == "prints-endlessly":
        return trait_problem("prints-endlessly", candidate, content, place, mebibytes=ending.mebibytes)
    if ending.cause:
        return trait_problem(ending.cause, candidate, content, place)
    if ending.status is None or ending.status == CUT_OFF:
        return trait_problem("replaces-process", candidate, content, place)
    if ending.status == BROKEN:
        return trait_problem("breaks-process", candidate, content, place)
    if ending.status >= 0:
        return trait_problem("ends-process", candidate, content, place, status=ending.status)
    name = _signal(-ending.status)
    faults = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP"}
    return trait_problem("crashes" if name in faults else "killed", candidate, content, place, signal=name)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def read_again(candidate: Candidate) -> tuple[bytes, Sources]:
    """The text that was executed, as well as can be known now, with all its files."""
    from topcook.factory.bundles import read_bundle

    if candidate.origin.tier is Tier.ENTRY_POINT:
        return b"", Sources(digest=candidate.origin.version)
    try:
        content = candidate.read()
        bundle = read_bundle(candidate.path, content, read=candidate.read)
    except OSError:
        return b"", Sources()
    return content, Sources(files_of(bundle), bundle.digest)


def not_probed(candidate: Candidate, why: str, todo: str) -> ProbeReport:
    """The honest report where no worker can be had."""
    content, sources = read_again(candidate)
    problem = trait_problem("not-probed", candidate, why=why, todo=todo)
    record = guessed(candidate, content, State.NOT_PROBED, [problem], f"not executed: {why}")
    record.content_hash = sources.digest
    return ProbeReport([record_data(record)], sources.files, transient=True)
