"""A network of 200 items that is cooked by processes of their own, killed, looked at, and resumed."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests import waiting
from topcook.factory.typespath import builtin_types_dir
from topcook.model.states import SUCCESSFUL
from topcook.runtime.journal import Past
from topcook.runtime.keeper.program.processes import mark_of, process_table
from topcook.runtime.keeper.record import RecordedJob, read_record

#: Seconds after which something that must come has not come; a machine may be busy.
PATIENCE = 120.0
until = functools.partial(waiting.until, patience=PATIENCE)
WIDTH = 99
NAMES = [f"{node}_{index}" for node in ("first", "second") for index in range(WIDTH)] + ["last_0"]
NETWORK = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "deadly"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocsmenu = 1
maxprocs = 2
[nodes.first]
type = "genericgenerator"
[nodes.first.parms]
itemcount = WIDTH
command = "JOB $HIP/effects $HIP/locks first_@pdg_index"
[nodes.second]
type = "genericgenerator"
inputs = ["first"]
[nodes.second.parms]
command = "JOB $HIP/effects $HIP/locks second_@pdg_index"
[nodes.all]
type = "waitforall"
inputs = ["second"]
[nodes.last]
type = "genericgenerator"
inputs = ["all"]
[nodes.last.parms]
command = "JOB $HIP/effects $HIP/locks last_@pdg_index"
"""
#: The local scheduler; it ends its own engine in or after the call of onSchedule that the environment names.
TYPES = """
import importlib.util
import os
import signal

spec = importlib.util.spec_from_file_location("deadly_local", LOCAL)
local = importlib.util.module_from_spec(spec)
spec.loader.exec_module(local)
calls = 0


class Deadly(local.LocalScheduler):
    @classmethod
    def templateName(cls):
        return "deadly"

    def onSchedule(self, work_item):
        global calls
        calls += 1
        number, when = os.environ.get("CRASH_IN_ONSCHEDULE", "0 no").split()
        if calls == int(number) and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = super().onSchedule(work_item)
        if calls == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def registerTypes(type_registry):
    type_registry.registerScheduler(Deadly, name="deadly", label="Deadly")
"""


class Tools(NamedTuple):
    """The programs of ``job.c`` and ``faults.c``."""

    job: Path
    faults: Path


class Line(NamedTuple):
    """A line of the file that jobs write."""

    what: str
    name: str
    attempt: int
    pid: int
    at: float


@dataclass
class Look:
    """What was written down when an engine had been killed: items that had ended, and when that was read."""

    at: float
    done: set[str]


@dataclass
class CrashBench:
    """One cook in ``folder``, in as many sessions as it takes."""

    folder: Path
    tools: Tools
    network: str = NETWORK
    names: list[str] = field(default_factory=lambda: NAMES)
    #: What was done, a line each.
    story: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    #: Whether a keeper was killed, or could not write: of what was in flight then, nobody knows how it ended.
    keeper_died: bool = False
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    #: Seconds from the start of a session to its first job, as far as is known on this machine.
    pace: float = 0.5

    def __post_init__(self) -> None:
        (self.folder / "locks").mkdir(parents=True)
        (self.folder / "types").mkdir()
        local = repr(os.path.join(builtin_types_dir(), "localscheduler.py"))
        (self.folder / "types" / "deadly.py").write_text(TYPES.replace("LOCAL", local, 1))
        text = self.network.replace("WIDTH", str(WIDTH)).replace("JOB", str(self.tools.job))
        (self.folder / "net.toml").write_text(text)

    # ------------------------------------------------------------------ running it

    @property
    def state(self) -> Path:
        """Where its cooks keep their files."""
        return self.folder / "state" / "cooks"

    def start(self, *arguments: str, fault: str = "", **variables: str) -> subprocess.Popen[str]:
        """Cook the network in a process of its own; ``fault`` is what ``faults.c`` is told."""
        environment = {
            **os.environ,
            "TOPCOOK_STATE_DIR": str(self.folder / "state"),
            "PDG_TYPES_PATH": str(self.folder / "types"),
            **variables,
        }
        if fault:
            environment |= {"LD_PRELOAD": str(self.tools.faults), "CRASH_FAULT": fault}
        with (self.folder / "told").open("a") as told:
            process = subprocess.Popen(
                [sys.executable, "-m", "topcook", "cook", "net.toml", *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                text=True,
            )
        self.story.append(f"cook {' '.join(arguments)} {fault} {variables or ''}: process {process.pid}")
        self.started.append(process)
        return process

    def wait(self, process: subprocess.Popen[str]) -> int:
        """Wait for its end; raises ``AssertionError`` when that does not come."""
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(self.whole_story(["a cook hangs"])) from None
        self.story.append(f"    ended with {status}")
        return status

    def told(self) -> str:
        """What its processes have said."""
        return (self.folder / "told").read_text(errors="replace")

    def keepers(self) -> list[int]:
        """The keepers of its cooks that live."""
        found = []
        for card in self.state.glob("*/keeper.json"):
            try:
                pid = int(json.loads(card.read_text())["pid"])
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if b"keeper/program/main.py" in arguments:
                found.append(pid)
        return found

    def kill_keepers(self) -> None:
        """Kill them; their jobs stay."""
        for pid in self.keepers():
            self.story.append(f"    keeper {pid} is killed")
            self.keeper_died = True
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: process_table().get(pid) is None or process_table()[pid].zombie, "the keeper's end")

    def close(self) -> None:
        """Leave nothing running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
        for pid in self.keepers():
            os.kill(pid, signal.SIGKILL)
        for pid in self.jobs():
            os.kill(pid, signal.SIGKILL)

    def jobs(self) -> list[int]:
        """The living processes of jobs."""
        mine = os.path.realpath(self.folder / "work")
        return [pid for pid, row in process_table().items() if not row.zombie and mark_of(pid) and _cwd(pid) == mine]

    # ------------------------------------------------------------------ looking at it

    def lines(self) -> list[Line]:
        """What jobs have written."""
        path = self.folder / "effects"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [Line(what, name, int(attempt), int(pid), float(at)) for what, name, attempt, pid, at in rows]

    def written(self) -> int:
        """How many bytes jobs have written."""
        path = self.folder / "effects"
        return path.stat().st_size if path.exists() else 0

    @property
    def whole(self) -> int:
        """How many bytes that will be, about."""
        return 80 * len(self.names)

    def ended(self, names: set[str], what: str = "end") -> bool:
        """Whether jobs of these names have told of their end."""
        return names <= {line.name for line in self.lines() if line.what == what}

    def pasts(self) -> Iterator[Past]:
        """What its journals know, read from copies: the files stay as the crash has left them."""
        for number, journal in enumerate(sorted(self.state.glob("*/journal.sqlite"))):
            copy = self.folder / "copy" / f"{number}.sqlite"
            shutil.rmtree(copy.parent, ignore_errors=True)
            copy.parent.mkdir()
            for end in ("", "-wal"):
                if os.path.exists(f"{journal}{end}"):
                    shutil.copy(f"{journal}{end}", f"{copy}{end}")
            with sqlite3.connect(copy) as connection:
                found = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            assert found == ("ok",), self.whole_story([f"{journal}: {found}"])
            yield Past.open(str(copy))

    def ends(self, name: str) -> list[Line]:
        """The lines by which jobs of an item told of their end."""
        return [line for line in self.lines() if line.what == "end" and line.name == name]

    def recorded(self) -> dict[str, RecordedJob]:
        """What its keepers have written down."""
        return {token: job for folder in self.state.glob("*") for token, job in read_record(str(folder)).items()}

    def look(self) -> Look:
        """Read what is written down now; it is remembered, and held against the end."""
        done = set()
        for past in self.pasts():
            recorded = self.recorded()
            for item in past.items():
                job = recorded.get(item.token)
                if item.state in SUCCESSFUL or (job is not None and job.exit_status == 0):
                    done.add(f"{item.node}_{item.index}")
        look = Look(time.monotonic(), done & set(self.names))
        self.looks.append(look)
        self.story.append(f"    at {look.at:.6f}: {len(look.done)} items have ended, as is written")
        return look

    def finish(self) -> None:
        """Resume it to its end, and hold all that was promised against what jobs have written."""
        self.resume()
        status = self.wait(self.started[-1])
        wrong = [f"the last session ended with {status}"] if status else []
        wrong += self.broken_promises()
        if wrong:
            raise AssertionError(self.whole_story(wrong))
        until(lambda: not self.keepers() and not self.jobs(), "the end of keeper and jobs")

    def resume(self, **options: str) -> subprocess.Popen[str]:
        """Go on with it; where nothing has begun yet, begin."""
        return self.start(
            *(("--progress", "off", "--resume") if self.has_begun() else ("--progress", "off")), **options
        )

    def has_begun(self) -> bool:
        """Whether there is a cook to go on with; raises ``AssertionError`` when there is none, and something ran."""
        pointers = list((self.folder / "work" / "pdgtemp").glob("cook.*.json"))
        begun = any(Path(json.loads(pointer.read_text())["journal"]).exists() for pointer in pointers)
        assert begun or not self.lines(), self.whole_story(["there is no journal, and jobs have run"])
        return begun

    def broken_promises(self) -> list[str]:
        """What is not as promised, a line each."""
        lines = self.lines()
        ends = Counter(line.name for line in lines if line.what == "end")
        wrong = [f"{name} has no effect" for name in self.names if not ends[name]]
        wrong += [f"two attempts overlap: {line}" for line in lines if line.what == "overlap"]
        starts = Counter((line.name, line.attempt) for line in lines if line.what == "start")
        wrong += [f"attempt {attempt} of {name} ran twice" for (name, attempt), count in starts.items() if count > 1]
        if not self.keeper_died:
            wrong += [f"{name} ran {count} times" for name, count in ends.items() if count > 1]
        for look in self.looks:
            late = (line for line in lines if line.what == "start" and line.at > look.at)
            wrong += [f"{line.name} had ended at {look.at:.6f}: {line}" for line in late if line.name in look.done]
        for past in self.pasts():
            states = [
                f"{item.node}_{item.index} is {item.state.name}"
                for item in past.items()
                if item.state not in SUCCESSFUL
            ]
            wrong += states
        return wrong

    def whole_story(self, wrong: list[str]) -> str:
        """What went wrong, and everything that is known of it."""
        words = {word.strip(",:()'\"") for line in wrong for word in line.split()}
        named = [name for name in self.names if name in words or any(f"'{name}'" in line for line in wrong)][:5]
        text = [f"in {self.folder}:", *wrong[:40], "", "what was done:", *self.story]
        for name in named:
            text += ["", f"{name}:", *(str(line) for line in self.lines() if line.name == name), *self._rows(name)]
        return "\n".join([*text, "", "what was said:", *self.told().splitlines()[-40:]])

    def _rows(self, name: str) -> list[str]:
        node, _, index = name.rpartition("_")
        rows = []
        for journal in self.state.glob("*/journal.sqlite"):
            with sqlite3.connect(journal) as connection:
                found = connection.execute(
                    "SELECT step.* FROM step JOIN item ON item.id = step.item JOIN name ON name.number = item.node "
                    "WHERE name.text = ? AND place = ? ORDER BY step.number",
                    (node, int(index)),
                ).fetchall()
            connection.close()
            rows += [f"step {row}" for row in found]
            tokens = {row[-1] for row in found if row[-1]}
            record = journal.with_name("keeper.record")
            if record.exists():
                rows += [line for line in record.read_text().splitlines() if tokens & set(line.split())]
        return rows


def _cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
