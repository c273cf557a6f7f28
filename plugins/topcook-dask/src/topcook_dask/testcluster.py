"""A real Dask on this machine, for tests and benchmarks: a scheduler and workers, each a process of its own.

Everything listens on loopback, on free ports, and lies in a directory of its own; ``close`` ends it by the process ids
it noted.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import distributed

__all__ = ["TestCluster", "free_ports"]

DEADLINE = 60.0
#: A cluster whose tests were killed ends by itself.
_IDLE = "1800 s"
#: Below the ports that systems give to clients: what was free stays so while a scheduler is restarted.
_PORTS = range(15_000, 30_000)
#: Seconds for what a killed cook has left in workers' threads, before the worker is killed.
_EMPTY = 3.0


class TestCluster:
    """A scheduler and so many workers, ``w1``, ``w2``, …; a context manager that starts and ends them.

    ``threads`` and ``resources`` ("slots=2 gpu=1") hold for each worker, ``environment`` for all processes;
    ``protocol`` is that of the scheduler's address, ``tcp`` or ``ws``. With ``tls`` nobody is let in without a
    certificate of the authority that is made for this cluster (needs ``trustme``). ``launcher`` are the words before
    those that start a worker: what brings it into a view of files of its own.
    """

    #: No class of tests, whatever its name says to pytest.
    __test__ = False

    def __init__(
        self,
        workers: int = 2,
        threads: int = 2,
        resources: str = "",
        *,
        tls: bool = False,
        protocol: str = "tcp",
        environment: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
        """Nothing runs yet."""
        self.folder = Path(tempfile.mkdtemp(prefix="dask-"))
        self.names = tuple(f"w{number}" for number in range(1, workers + 1))
        self._threads, self._resources = threads, resources
        self._environment = {"DASK_TEMPORARY_DIRECTORY": str(self.folder), **(environment or {})}
        self._port, self._http = free_ports(2)
        self._launcher = launcher
        self._tls = _Certificates(self.folder) if tls else None
        self._protocol = "tls" if tls else protocol
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        #: Workers whose scheduler went away: they end by themselves, some time.
        self._leaving: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start it, and wait until all workers are there."""
        try:
            self._spawn_scheduler()
            for name in self.names:
                self._spawn_worker(name)
            self._wait_for_workers()
        except BaseException:
            # Whatever kept it from starting, Ctrl-C too: its processes must not run on.
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    @property
    def address(self) -> str:
        """Where the scheduler listens; the same after a restart."""
        return f"{self._protocol}://127.0.0.1:{self._port}"

    @property
    def scheduler_file(self) -> Path:
        """The file that says where the scheduler listens."""
        return self.folder / "scheduler.json"

    @property
    def dashboard(self) -> str:
        """Where the scheduler's pages are."""
        return f"http://127.0.0.1:{self._http}"

    @property
    def certificates(self) -> dict[str, str]:
        """Paths of ``ca``, ``cert`` and ``key`` for clients; nothing without ``tls``."""
        return self._tls.paths if self._tls else {}

    # -- processes ------------------------------------------------------------------------------------------------

    def start_scheduler(self) -> None:
        """Start the scheduler at the address it had, knowing nothing, and all workers that have none to talk to."""
        self._spawn_scheduler()
        self.wait(self.is_up, "the scheduler answers")
        self.replace_workers()

    def replace_workers(self) -> None:
        """Start others for workers that have lost their scheduler or were told to end, as those do who look after them.

        The old ones end when what they run has ended, or after half a minute.
        """
        for name in tuple(self._workers):
            self._leaving.append(self._workers.pop(name))
            self._spawn_worker(name)
        self._wait_for_workers()

    def stop_scheduler(self) -> None:
        """Kill the scheduler, at once."""
        if self._scheduler:
            _kill(self._scheduler)
            self._scheduler = None

    def start_worker(self, name: str, *, threads: int = 0, resources: str = "") -> None:
        """Start a worker, one that was killed or a further one, and wait until it is there."""
        self._spawn_worker(name, threads, resources)
        self._wait_for_workers()

    def kill_worker(self, name: str) -> int:
        """Kill a worker, at once, and wait until the scheduler knows; its process id."""
        process = self._workers.pop(name)
        _kill(process)
        if self.is_up():
            self._wait_for_workers()
        return process.pid

    def worker_pid(self, name: str) -> int:
        """The process id of a worker."""
        return self._workers[name].pid

    @property
    def pids(self) -> list[int]:
        """The process ids of all there is: of the workers and the scheduler."""
        return [each.pid for each in (*self._workers.values(), *([self._scheduler] if self._scheduler else []))]

    def mend(self) -> None:
        """Have all running that was there at first and nothing else, and no task left."""
        if not self.is_up():
            self.stop_scheduler()
            self.start_scheduler()
        for name in (*self._workers.keys() - self.names, *self._dead()):
            _kill(self._workers.pop(name))
        for process in self._leaving:
            _kill(process)
        self._leaving.clear()
        self._forget_tasks()
        if not self._comes(lambda: not any(self.executing().values()), _EMPTY):
            for name, keys in self.executing().items():
                if keys and name in self._workers:
                    _kill(self._workers.pop(name))
        for name in self.names:
            if name not in self._workers:
                self._spawn_worker(name)
        self._wait_for_workers()

    def close(self) -> None:
        """End all, and remove the directory."""
        for process in (*self._workers.values(), *self._leaving, *([self._scheduler] if self._scheduler else [])):
            _kill(process)
        self._workers.clear()
        self._leaving.clear()
        self._scheduler = None
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- asking it ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def client(self) -> Any:
        """A client of its own, which is not the default one."""
        security = distributed.Security(**self._tls.options, require_encryption=True) if self._tls else None
        with distributed.Client(self.address, security=security, set_as_default=False, timeout=DEADLINE) as client:
            yield client

    def tasks(self) -> dict[str, str]:
        """The state of each task that the scheduler knows, by its key."""
        with self.client() as client:
            found = client.run_on_scheduler(
                lambda dask_scheduler: {str(key): task.state for key, task in dask_scheduler.tasks.items()}
            )
        return dict(found)

    def executing(self) -> dict[str, list[str]]:
        """The keys that each worker has in its threads, by the worker's name."""
        with self.client() as client:
            found = client.run(
                lambda dask_worker: (str(dask_worker.name), [str(task.key) for task in dask_worker.state.executing])
            )
        return dict(found.values())

    def is_up(self) -> bool:
        """Whether the scheduler answers."""
        try:
            # Not identity.json, which fails once workers have measured something: its keys are tuples.
            with urllib.request.urlopen(f"{self.dashboard}/json/counts.json", timeout=DEADLINE) as answer:  # noqa: S310 - http, ours
                return bool(json.load(answer))
        except OSError:
            return False

    def workers(self) -> set[str]:
        """The names of the workers that the scheduler knows."""
        if not self.is_up():
            return set()
        with self.client() as client:
            found = client.run_on_scheduler(
                lambda dask_scheduler: [str(each.name) for each in dask_scheduler.workers.values()]
            )
        return set(found)

    def wait(self, is_so: Callable[[], object], what: str) -> None:
        """Poll until something is so; raises ``TimeoutError`` with the end of the logs."""
        if not self._comes(is_so, DEADLINE):
            raise TimeoutError(f"never: {what}\n{self._last_words()}")

    # -- inside ---------------------------------------------------------------------------------------------------

    def _spawn_scheduler(self) -> None:
        self._scheduler = self._spawn(
            "scheduler",
            *("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--idle-timeout", _IDLE),
            *("--dashboard-address", f"127.0.0.1:{self._http}", "--scheduler-file", str(self.scheduler_file)),
        )
        # A worker that is tried before ends when it cannot connect in time.
        self.wait(self.is_up, "the scheduler answers")

    def _spawn_worker(self, name: str, threads: int = 0, resources: str = "") -> None:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        resources = resources or self._resources
        self._workers[name] = self._spawn(
            name,
            *("worker", self.address, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", name),
            *("--nthreads", str(threads or self._threads), "--local-directory", str(place), "--memory-limit", "0"),
            *(["--resources", resources] if resources else []),
            launcher=self._launcher,
        )

    def _spawn(self, log: str, *argv: str, launcher: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        words = [*argv, "--protocol", self._protocol, *(self._tls.words if self._tls else [])]
        with (self.folder / f"{log}.log").open("ab") as stream:
            # A session of its own: Ctrl-C at the tests is no business of the cluster.
            return subprocess.Popen(
                [*launcher, sys.executable, "-m", "dask", *words],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                cwd=self.folder,
            )

    def _wait_for_workers(self) -> None:
        self.wait(lambda: self.workers() == set(self._workers), f"the workers are {', '.join(self._workers)}")

    def _dead(self) -> list[str]:
        return [name for name, process in self._workers.items() if process.poll() is not None]

    def _forget_tasks(self) -> None:
        """Release what nobody is there to release: what was told to go on without its client, and data sets."""
        with self.client() as client:
            for name in client.list_datasets():
                client.unpublish_dataset(name)

            def release(dask_scheduler: Any) -> int:
                for name in [name for name in dask_scheduler.clients if not name.startswith("Client-")]:
                    state = dask_scheduler.clients[name]
                    dask_scheduler.client_releases_keys([task.key for task in state.wants_what], name)
                return len(dask_scheduler.tasks)

            self.wait(lambda: not client.run_on_scheduler(release), "no task is left")

    def _comes(self, is_so: Callable[[], object], seconds: float) -> bool:
        """Whether it is so within the time."""
        give_up = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.05)
        return True

    def _last_words(self) -> str:
        said = []
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            said += [f"  {path.name}: {line}" for line in lines]
        return "\n".join(said)


class _Certificates:
    """An authority of its own, and one certificate for all: in Dask both sides show one."""

    def __init__(self, folder: Path) -> None:
        import trustme

        authority = trustme.CA()
        made = authority.issue_cert("127.0.0.1", "localhost")
        self.paths = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}
        authority.cert_pem.write_to_path(self.paths["ca"])
        for blob in made.cert_chain_pems:
            blob.write_to_path(self.paths["cert"], append=True)
        made.private_key_pem.write_to_path(self.paths["key"])
        os.chmod(self.paths["key"], 0o600)

    @property
    def options(self) -> dict[str, str]:
        """What ``distributed.Security`` takes."""
        ca, cert, key = self.paths.values()
        return {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key}

    @property
    def words(self) -> list[str]:
        """What Dask's commands take."""
        ca, cert, key = self.paths.values()
        return ["--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """So many ports of loopback that nobody has, and that no system gives to clients."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for port in random.sample(_PORTS, len(_PORTS)):
            with contextlib.suppress(OSError):
                taken = socket.socket()
                taken.bind(("127.0.0.1", port))
                stack.enter_context(taken)
                found.append(port)
            if len(found) == count:
                break
    return found
