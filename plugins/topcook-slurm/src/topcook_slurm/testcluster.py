"""A real Slurm of two nodes on this machine, for tests and benchmarks: its daemons, in a directory of their own.

Needs the Debian packages ``slurm-wlm`` and ``munge``, with accounting those of ``testaccounting`` too, and nothing of
what they configure: no systemd, no user, no ``/etc/slurm``. Everything listens on loopback, on free ports; ``close``
ends it by the process ids it noted.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from topcook_slurm import testaccounting

__all__ = ["PROGRAMS", "TestCluster", "missing_programs"]

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
#: Where Debian keeps daemons, which is not on everybody's PATH.
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")
DEADLINE = 60.0
NODES = ("n1", "n2")
_CONF = """\
ClusterName=farm
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A job whose node died begins again only after the credential of its first run has expired.
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CredType=cred/munge
SlurmctldPort={ctld}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=16
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=20000,batch_sched_delay=0,bf_interval=1,default_queue_depth=10000,sched_max_job_start=0
MaxJobCount=50000
MaxArraySize={most}
MinJobAge=300
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldTimeout=10
SlurmdTimeout={node_timeout}
KillWait=2
CompleteWait=0
JobRequeue=1
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
{nodes}
PartitionName=farm Nodes={names} Default=YES MaxTime=INFINITE State=UP OverTimeLimit=0
PartitionName=down Nodes={names} MaxTime=INFINITE State=DOWN
"""


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_SBIN))


def missing_programs(*, accounting: bool = False) -> list[str]:
    """What a cluster needs and this machine has not."""
    needed = (*PROGRAMS, *testaccounting.PROGRAMS) if accounting else PROGRAMS
    return [name for name in needed if _program(name) is None]


class TestCluster:
    """Two nodes, ``n1`` and ``n2``, of so many CPUs each; a context manager that starts and ends them.

    ``max_array_size`` is Slurm's own limit, one more than the largest index. A node whose daemon is silent for
    ``node_timeout`` seconds is down. ``settings`` are more of ``slurm.conf``, or others in place of those there,
    ``node`` more words for both nodes, ``lines`` whole lines (partitions); ``files`` lie beside it (``cgroup.conf``).
    ``launcher`` are the words before those that start a node: what brings it into a view of files of its own.
    With ``accounting`` there is a database: users have accounts, limits hold, and ``sacct`` knows what was.
    """

    #: No class of tests, whatever its name says to pytest.
    __test__ = False

    def __init__(
        self,
        cpus: int = 8,
        max_array_size: int = 1001,
        node_timeout: int = 10,
        *,
        settings: Mapping[str, str] | None = None,
        node: str = "",
        lines: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
        accounting: bool = False,
    ) -> None:
        """Nothing runs yet."""
        # Sockets have short paths.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self._cpus, self._most, self._node_timeout = cpus, max_array_size, node_timeout
        self._settings, self._node, self._lines, self._files = settings or {}, node, lines, files or {}
        self._launcher = launcher
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        ctld, dbd, database, *nodes = _free_ports(3 + len(NODES))
        self._ports = (ctld, *nodes)
        self._accounting_ports = (dbd, database) if accounting else None

    def __enter__(self) -> Self:
        """Start it, and wait until both nodes are idle."""
        try:
            self._write_conf()
            self.start_munged()
            if self._accounting_ports is not None:
                self._start_database(*self._accounting_ports)
                self.start_accounting()
                self.call("sacctmgr", "--immediate", "add", "cluster", "farm")
            self.start_controller()
            for name in NODES:
                self.start_node(name)
            self.wait(lambda: self.node_states() == dict.fromkeys(NODES, "idle"), "both nodes are idle")
        except BaseException:
            # Whatever kept it from starting, Ctrl-C too: its daemons must not run on.
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    # -- daemons --------------------------------------------------------------------------------------------------

    def start_controller(self, *, clean: bool = False) -> None:
        """Start slurmctld; it goes on where an earlier one was, or with ``clean`` knows no job."""
        if clean:
            # Nodes stumble over two jobs of one number: those that they still have, and new ones.
            with open(self.environment["SLURM_CONF"], "a", encoding="utf-8") as conf:
                conf.write("FirstJobId=100000\n")
        self._run("slurmctld", *(["-c"] if clean else []), "-f", self.environment["SLURM_CONF"])
        self.wait(self.is_up, "slurmctld answers")

    def stop_controller(self) -> None:
        """Kill slurmctld, at once."""
        self._kill("slurmctld")

    def pause_controller(self) -> None:
        """Have slurmctld answer nobody, as one does that has too much to do; ``resume_controller`` has it go on."""
        os.kill(self._pid("slurmctld"), signal.SIGSTOP)

    def resume_controller(self) -> None:
        """Have a paused slurmctld go on."""
        os.kill(self._pid("slurmctld"), signal.SIGCONT)

    def stop_munged(self) -> None:
        """Kill munged: nobody can prove any more who he is."""
        self._kill("munged")

    def start_munged(self) -> None:
        """Start munged; it has the key that it had."""
        places = {
            "key-file": self.folder / "munge.key",
            "socket": self.folder / "munge.sock",
            "pid-file": self.folder / "munged.pid",
            "log-file": self.folder / "munged.log",
            "seed-file": self.folder / "munge.seed",
        }
        if not places["key-file"].exists():
            places["key-file"].write_bytes(os.urandom(128))
            places["key-file"].chmod(0o400)
        places["socket"].unlink(missing_ok=True)
        self._run("munged", "--force", *(f"--{name}={path}" for name, path in places.items()))
        self.wait(places["socket"].exists, "munged listens")

    def start_accounting(self) -> None:
        """Start slurmdbd; its database runs."""
        self._run("slurmdbd")
        self.wait(self._accounting_answers, "slurmdbd answers")

    def stop_accounting(self) -> None:
        """Kill slurmdbd: what was is known to nobody, and what is to be recorded waits."""
        self._kill("slurmdbd")

    def start_node(self, name: str) -> None:
        """Start the slurmd of a node."""
        self._run("slurmd", "-N", name, "-f", self.environment["SLURM_CONF"], launcher=self._launcher)

    def lose_node(self, name: str) -> None:
        """Kill a node's slurmd and what it has started to look after jobs, as the death of the machine does."""
        self._kill(f"slurmd.{name}")
        self._kill_stepds(f"slurmd.{name}.log")

    def mend(self) -> None:
        """Have all jobs gone and all daemons running, and wait until both nodes are idle."""
        if not _is_alive(self._pid("munged")):
            self.start_munged()
        if self._accounting_ports is not None and not _is_alive(self._pid("slurmdbd")):
            self.start_accounting()
        if not self.is_up():
            self.stop_controller()
            self.start_controller()
        for name in NODES:
            if not _is_alive(self._pid(f"slurmd.{name}")):
                self.start_node(name)
        self.call("scancel", "--quiet", "--user", getpass.getuser())
        for name in NODES:
            # Else a node that was down stays so until it registers by itself.
            with contextlib.suppress(subprocess.CalledProcessError):
                self.call("scontrol", "update", f"NodeName={name}", "State=RESUME")
        self.wait(lambda: self.node_states() == dict.fromkeys(NODES, "idle"), "both nodes are idle")

    def close(self) -> None:
        """End all, and remove the directory."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            self.call("scancel", "--quiet", "--user", getpass.getuser())
        for name in (*(f"slurmd.{each}" for each in NODES), "slurmctld"):
            self._kill(name, gently=True)
        # What they have not written is thrown away now.
        self._kill("slurmdbd")
        self._kill("mariadbd")
        self._kill("munged", gently=True)
        self._kill_stepds("")
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_saved(self) -> None:
        """Wait until the controller has saved what has become of jobs; it does so within seconds of a change."""
        now = time.time()
        self.call("scontrol", "reconfigure")
        state = self.folder / "state" / "job_state"
        self.wait(lambda: state.exists() and state.stat().st_mtime >= now, "the state of jobs is saved")

    # -- asking it ------------------------------------------------------------------------------------------------

    def call(self, *argv: str) -> str:
        """The output of one of Slurm's commands; raises ``CalledProcessError``."""
        done = subprocess.run(
            argv, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        return done.stdout

    def jobs(self) -> dict[str, str]:
        """The state of each job and array task that Slurm knows, by its id."""
        lines = self.call("squeue", "--noheader", "--array", "--states=all", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def is_up(self) -> bool:
        """Whether the controller answers."""
        try:
            return "is UP" in self.call("scontrol", "ping")
        except subprocess.SubprocessError:
            return False

    def node_states(self) -> dict[str, str]:
        """The state of each node, in sinfo's words."""
        try:
            lines = self.call("sinfo", "--noheader", "--Node", "--partition=farm", "--format=%N %t").splitlines()
        except subprocess.SubprocessError:
            return {}
        return dict(line.split() for line in lines)

    def wait(self, is_so: Callable[[], object], what: str) -> None:
        """Poll until something is so; raises ``TimeoutError`` with the end of the logs."""
        give_up = time.monotonic() + DEADLINE
        while not is_so():
            if time.monotonic() > give_up:
                raise TimeoutError(f"never: {what}\n{self._last_words()}")
            time.sleep(0.05)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _write_conf(self) -> None:
        host = _short_host()
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={self._cpus} RealMemory=4000"
            f" State=UNKNOWN {self._node}"
            for name, port in zip(NODES, self._ports[1:], strict=True)
        )
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        text = _CONF.format(
            host=host,
            user=getpass.getuser(),
            folder=self.folder,
            ctld=self._ports[0],
            most=self._most,
            node_timeout=self._node_timeout,
            nodes=nodes,
            names=",".join(NODES),
        )
        ports = self._accounting_ports
        settings = {**(testaccounting.cluster_settings(self.folder, ports[0]) if ports else {}), **self._settings}
        kept = [line for line in text.splitlines() if line.partition("=")[0] not in settings]
        more = [f"{name}={value}" for name, value in settings.items()]
        # What partitions stand upon comes before them.
        (self.folder / "slurm.conf").write_text("\n".join([*more, *kept, *self._lines, ""]), encoding="utf-8")
        for name, content in self._files.items():
            (self.folder / name).write_text(content, encoding="utf-8")

    def _start_database(self, port: int, database_port: int) -> None:
        user = getpass.getuser()
        testaccounting.write_database_daemon(self.folder, _short_host(), user, port, database_port)
        self._run("mariadb-install-db", *testaccounting.install_words(self.folder, user))
        words = testaccounting.database_words(self.folder, user, database_port)
        # It becomes no daemon by itself.
        self._run("mariadbd", *words, launcher=("/bin/sh", "-c", '"$@" &', "sh"))
        self.wait(lambda: _listens(database_port), "the database listens")

    def _accounting_answers(self) -> bool:
        try:
            self.call("sacctmgr", "--noheader", "show", "cluster")
        except subprocess.SubprocessError:
            return False
        return True

    def _run(self, name: str, *argv: str, launcher: Sequence[str] = ()) -> None:
        program = _program(name)
        if program is None:
            more = " slurmdbd mariadb-server-core mariadb-client-core" if self._accounting_ports is not None else ""
            raise FileNotFoundError(f"there is no {name}: apt-get install slurm-wlm munge{more}")
        with (self.folder / "starts.log").open("ab") as log:
            done = subprocess.run(
                [*launcher, program, *argv],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=DEADLINE,
                check=False,
            )
        if done.returncode:
            # What it has said goes with the directory.
            raise RuntimeError(f"{name} ended with exit status {done.returncode}\n{self._last_words()}")

    def _pid(self, name: str) -> int:
        try:
            return int((self.folder / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return 0

    def _kill(self, name: str, *, gently: bool = False) -> None:
        pid = self._pid(name)
        if pid == 0:
            return
        give_up = time.monotonic() + (5.0 if gently else 0.0)
        with contextlib.suppress(ProcessLookupError):
            if gently:
                os.kill(pid, signal.SIGTERM)
                while time.monotonic() < give_up and _is_alive(pid):
                    time.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
        while _is_alive(pid):
            time.sleep(0.02)
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    def _kill_stepds(self, log: str) -> None:
        """What slurmd has started to look after jobs writes into the log of its node."""
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as stream:
                    if not stream.read().startswith(b"slurmstepd"):
                        continue
                if any(path.startswith(str(self.folder / log)) for path in _open_files(pid)):
                    os.kill(pid, signal.SIGKILL)

    def _last_words(self) -> str:
        said = []
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            said += [f"  {path.name}: {line}" for line in lines]
        return "\n".join(said)


def _free_ports(count: int) -> Sequence[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _short_host() -> str:
    return socket.gethostname().partition(".")[0]


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _open_files(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"{folder}/{name}"))
    return found


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except OSError:
        return False
