"""A real Grid Engine of one node on this machine: its daemons, in a directory of their own.

Needs the Debian packages ``gridengine-master`` and ``gridengine-exec``, and nothing of what they configure: no service,
no ``/var/lib/gridengine``. It talks on loopback, on free ports; ``close`` ends it by the process ids it noted.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from topcook_dask.testcluster import free_ports

__all__ = ["GridEngine", "missing_programs"]

DEADLINE = 60.0
_PROGRAMS = Path("/usr/lib/gridengine")
_SHARE = Path("/usr/share/gridengine")
_HOST = "localhost"
#: The queues and their slots.
QUEUES = {"farm": 8, "one": 1, "down": 8}
_BOOTSTRAP = """\
admin_user         none
default_domain     none
ignore_fqdn        true
spooling_method    classic
spooling_lib       libspoolc
spooling_params    {spooling}
binary_path        {programs}
qmaster_spool_dir  {folder}/spool/qmaster
security_mode      none
listener_threads   2
worker_threads     2
scheduler_threads  1
"""
_EXECUTION_HOST = f"""\
hostname          {_HOST}
load_scaling      NONE
complex_values    NONE
user_lists        NONE
xuser_lists       NONE
projects          NONE
xprojects         NONE
usage_scaling     NONE
report_variables  NONE
"""
#: A machine of tests is busy: load keeps nothing back.
_QUEUE = """\
qname              {name}
hostlist           {host}
seq_no             0
load_thresholds    NONE
suspend_thresholds NONE
nsuspend           1
suspend_interval   00:05:00
priority           0
min_cpu_interval   00:05:00
processors         UNDEFINED
qtype              BATCH
ckpt_list          NONE
pe_list            NONE
rerun              FALSE
slots              {slots}
tmpdir             {folder}
shell              /bin/sh
shell_start_mode   posix_compliant
notify             00:00:60
initial_state      default
"""
_NONE = (
    "prolog epilog starter_method suspend_method resume_method terminate_method owner_list user_lists xuser_lists"
    " subordinate_list complex_values projects xprojects calendar"
)
_LIMITS = ("rt", "cpu", "fsize", "data", "stack", "core", "rss", "vmem")


def missing_programs() -> list[str]:
    """What a Grid Engine needs and this machine has not."""
    return [name for name in ("sge_qmaster", "sge_execd", "qsub") if not (_PROGRAMS / name).exists()]


class GridEngine:
    """One node with a queue ``farm``, a queue ``one`` of a single slot, and a queue ``down`` that starts nothing.

    A context manager that starts and ends it.
    """

    def __init__(self) -> None:
        """Nothing runs yet."""
        # The environment of jobs has it, and sockets have short paths.
        self.folder = Path(tempfile.mkdtemp(prefix="sge-"))
        ports = free_ports(2)
        self.environment = {
            "SGE_ROOT": str(self.folder),
            "SGE_CELL": "default",
            "SGE_ARCH": "lx-amd64",
            "SGE_QMASTER_PORT": str(ports[0]),
            "SGE_EXECD_PORT": str(ports[1]),
        }
        self._qmaster = self.folder / "spool" / "qmaster" / "qmaster.pid"

    def __enter__(self) -> Self:
        """Start it, and wait until its node is there."""
        try:
            self._lay_out()
            self._fill_spool()
            self.call("sge_qmaster")
            self.wait(lambda: self._answers("qconf", "-sconf"), "the qmaster answers")
            self._configure()
            self.call("sge_execd")
            self.wait(self._has_node, "the node has reported")
            self.mend()
        except BaseException:
            # Whatever kept it from starting, Ctrl-C too: its daemons must not run on.
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def mend(self) -> None:
        """Have all jobs gone, and the queues as they were."""
        self.call("qmod", "-d", "down")
        self.end_jobs()
        self.wait(lambda: not self.jobs(), "no job is left")

    def end_jobs(self) -> None:
        """Have somebody delete all jobs."""
        for job in self.jobs():
            # One may have ended meanwhile.
            with contextlib.suppress(subprocess.CalledProcessError):
                self.call("qdel", job)

    def close(self) -> None:
        """End all, and remove the directory."""
        with contextlib.suppress(OSError, subprocess.SubprocessError, TimeoutError):
            self.mend()
        # The node's own directory has the name that the system gives to this machine.
        for path in (*self.folder.glob("spool/execd/*/execd.pid"), self._qmaster):
            _end(path)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- asking it ------------------------------------------------------------------------------------------------

    def call(self, *argv: str) -> str:
        """The output of one of Grid Engine's commands; raises ``CalledProcessError`` with what it said."""
        done = subprocess.run(
            [str(_PROGRAMS / argv[0]), *argv[1:]],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, argv, done.stdout)
        return done.stdout

    def jobs(self) -> dict[str, str]:
        """The state of each job that waits or runs, in qstat's letters, by its id."""
        lines = self.call("qstat", "-u", "*").splitlines()[2:]
        return {words[0]: words[4] for words in map(str.split, lines)}

    def wait(self, is_so: Callable[[], object], what: str) -> None:
        """Poll until something is so; raises ``TimeoutError`` with the end of the logs."""
        give_up = time.monotonic() + DEADLINE
        while not is_so():
            if time.monotonic() > give_up:
                raise TimeoutError(f"never: {what}\n{self._last_words()}")
            time.sleep(0.05)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for name in ("default/common", "spool/qmaster", "spool/execd", "bin", "lib", "utilbin"):
            (self.folder / name).mkdir(parents=True)
        for name in ("bin", "lib", "utilbin"):
            (self.folder / name / self.environment["SGE_ARCH"]).symlink_to(_PROGRAMS)
        (self.folder / "util").symlink_to(_SHARE / "util")
        common = self.folder / "default" / "common"
        text = _BOOTSTRAP.format(spooling=self._spooling, programs=_PROGRAMS, folder=self.folder)
        (common / "bootstrap").write_text(text)
        (common / "act_qmaster").write_text(_HOST + "\n")
        # Whatever this machine is called, and whatever its address says it is called.
        names = {socket.gethostname(), socket.gethostname().partition(".")[0], socket.getfqdn()} - {_HOST}
        (common / "host_aliases").write_text(" ".join([_HOST, *sorted(names)]) + "\n")

    @property
    def _spooling(self) -> str:
        return f"{self.folder}/default/common;{self.folder}/spool/qmaster"

    def _fill_spool(self) -> None:
        """What an installation puts there before the first start."""
        # By these groups a node finds the processes of a job, those of others too, who use the same.
        group = random.randrange(1_000_000, 2_000_000_000)
        own = {
            "execd_spool_dir": f"{self.folder}/spool/execd",
            "mailer": "/bin/true",
            "administrator_mail": "none",
            "min_uid": "0",
            "min_gid": "0",
            "load_report_time": "00:00:02",
            "finished_jobs": "0",
            "gid_range": f"{group}-{group + 100}",
        }
        configuration = self._file("configuration", _replaced((_SHARE / "default-configuration").read_text(), own))
        self.call("spoolinit", "classic", "libspoolc", self._spooling, "init")
        self.call("spooldefaults", "configuration", configuration)
        for name, folder in (("complexes", "centry"), ("usersets", "usersets")):
            self.call("spooldefaults", name, str(_SHARE / "util" / "resources" / folder))
        self.call("spooldefaults", "managers", getpass.getuser())

    def _configure(self) -> None:
        self.call("qconf", "-as", _HOST)
        self.call("qconf", "-Ae", self._file("host", _EXECUTION_HOST))
        for name, slots in QUEUES.items():
            lines = _QUEUE.format(name=name, host=_HOST, slots=slots, folder=self.folder)
            lines += "".join(f"{each} NONE\n" for each in _NONE.split())
            lines += "".join(f"{kind}_{each} INFINITY\n" for each in _LIMITS for kind in "sh")
            self.call("qconf", "-Aq", self._file("queue", lines))
        soon = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
        calm = {"job_load_adjustments": "NONE", "load_adjustment_decay_time": "0:0:0"}
        self.call("qconf", "-Msconf", self._file("schedule", _replaced(self.call("qconf", "-ssconf"), soon | calm)))

    def _file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def _answers(self, *argv: str) -> bool:
        try:
            self.call(*argv)
        except subprocess.CalledProcessError:
            return False
        return True

    def _has_node(self) -> bool:
        """Whether the queue is free of the "u" that it has until its node was heard."""
        lines = self.call("qstat", "-f", "-q", "farm").splitlines()
        return any(line.startswith("farm@") and len(line.split()) == 5 for line in lines)

    def _last_words(self) -> str:
        said = []
        for path in sorted(self.folder.glob("spool/**/messages")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            said += [f"  {path.parent.name}: {line}" for line in lines]
        return "\n".join(said)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    """A file of Grid Engine's with other values for some of its names."""
    kept = [line for line in text.splitlines() if line.split(maxsplit=1)[:1] != [] and line.split()[0] not in values]
    return "\n".join([*kept, *(f"{name} {value}" for name, value in values.items()), ""])


def _end(path: Path) -> None:
    """Kill the daemon whose process id stands in a file: told to end, it takes its time, and there is nothing to save."""
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    while _is_alive(pid):
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
