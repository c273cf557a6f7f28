"""Which process this is, so that another one can tell whether it still lives."""

from __future__ import annotations

import os
import time
from typing import Any

from topcook.lean import NamedTuple
from topcook.runtime.keeper.program.record import boot_id

__all__ = ["SILENT", "Process", "ago", "clock_text", "process_start"]

#: Seconds without a sign of life after which a process of another machine is taken for dead.
SILENT = 60.0
#: Seconds that two readings of a process's start may differ.
_TOLERANCE = 0.5


class Process(NamedTuple):
    """A process: on which host, in which start of it (and which process namespace), when begun (seconds after that)."""

    host: str
    machine: str
    pid: int
    began: float | None
    user: str

    @classmethod
    def own(cls) -> Process:
        """This one."""
        return cls(os.uname().nodename, _machine(), os.getpid(), process_start(os.getpid()), _user())

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Process:
        """One that was written down by ``facts``; raises ``KeyError`` or ``TypeError`` for what is none."""
        read = cls(*(facts[name] for name in cls._fields))
        # Others may write where it is read, and to send a signal to 0 or less means many processes.
        if type(read.pid) is not int or read.pid < 1 or not isinstance(read.began, int | float | None):
            raise TypeError("no process has such a number, or such a beginning")
        if not all(isinstance(text, str) for text in (read.host, read.machine, read.user)):
            raise TypeError("host, machine and user are texts")
        return read

    def facts(self) -> dict[str, Any]:
        """It as plain data."""
        return self._asdict()

    def is_here(self) -> bool:
        """Whether it is, or was, on this machine."""
        return self.host == os.uname().nodename

    def is_in_another_container(self) -> bool:
        """Whether it runs under this very kernel, and counts processes in another way."""
        boot, _, space = self.machine.partition(":")
        own_boot, _, own_space = _machine().partition(":")
        return boot == own_boot and space != own_space

    def is_alive(self) -> bool:
        """Whether it still runs on this machine: same number, same start, same start of the machine."""
        if self.machine != _machine():
            return False
        began = process_start(self.pid)
        if self.began is None:
            # Who can date processes has written it down.
            return process_start(os.getpid()) is None and _exists(self.pid)
        return began is not None and abs(began - self.began) <= _TOLERANCE


def _exists(pid: int) -> bool:
    """Whether there is a process with this number, where none can be dated."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _machine() -> str:
    """This start of the machine, and what counts processes in it: containers have the same numbers for others."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return f"{boot_id()}:{space}"


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def process_start(pid: int) -> float | None:
    """Seconds from the machine's start to the process's, None when it is gone, a zombie, or cannot be dated."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in b"ZX":
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def ago(seconds: float) -> str:
    """A span of time in words."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count = int(seconds // size)
        if count:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "no time"


def clock_text(at: float) -> str:
    """A moment in words."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
