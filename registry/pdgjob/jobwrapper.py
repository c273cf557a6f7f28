"""Runs a farm's job on its node: what lies between the engine's command line and the work item's command.

    python3 jobwrapper.py JOBFILE [INDEX]

``JOBFILE`` is written by ``topcook.author`` and holds one job, or the tasks of an array (SLURM_ARRAY_TASK_ID). The
command runs in a session of its own, its output goes to its log, its end to a file before it is reported, to be known
even if nobody hears the report. One file, standard library, Python 3.6. Who runs many calls ``Job(spec, guard).run()``.
"""

import contextlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

    Spec = dict[str, Any]

FORMAT = 1
#: The first line of a job file, then so many bytes for each place, then the shared part and the jobs, a line each.
HEAD, PLACE = 32, 13
SECRET_FILE = ".pdg_result_secret"  # noqa: S105 - the name of a file
#: Beside it: where the cook listens now. One that goes on listens elsewhere than the job was told; "-": it was let go.
SERVER_FILE = ".pdg_result_server"
#: Defaults of a job: seconds to end by itself, seconds that a report is tried again.
GRACE, PATIENCE = 5.0, 120.0
_FIRST_PAUSE, _LONGEST_PAUSE, _ANSWER, _LOOK, _KILL_TIME = 0.1, 5.0, 4.0, 0.05, 10.0
_TOGETHER = 200  # milliseconds: a pipe holds what is told in this time
_PARENT_DEATH, _SUBREAPER, _SHELL_SIGNAL, _NOT_FOUND, _NOT_STARTED = 1, 36, 128, 127, 126
#: Where this process has one job, all its children are the job's but these.
_own_children = []  # type: list[int]
#: Read but once, for who runs many jobs: the environment by the names that it is to be without, and the host.
_environs, _HOST = {}, socket.gethostname()  # type: dict[tuple[str, ...], dict[str, str]], str
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")


class Refused(Exception):
    """The cook heard the report and said no; to ask again would not change that."""


def read_job(path: str, index: int, text: bytes = b"") -> "Spec":
    """One job of a job file, by its place; reads no more, or from its ``text``. ValueError for what is no such file."""
    with io.BytesIO(text) if text else open(path, "rb") as stream:
        head = stream.read(HEAD).split()
        if len(head) != 3 or head[0] != b"TOPCOOK-JOBS" or int(head[1]) != FORMAT:  # noqa: PLR2004 - its three words
            raise ValueError("%s is no job file of this version (%d)" % (path, FORMAT))
        if not 0 <= index < int(head[2]):
            raise ValueError("%s has no job %d: it has %d" % (path, index, int(head[2])))
        lines = []
        for place in (0, index + 1):
            stream.seek(HEAD + PLACE * place)
            stream.seek(int(stream.read(PLACE)))
            lines.append(json.loads(stream.readline().decode()))
    shared, own = lines
    return dict(shared, **dict(own, env=dict(shared.get("env", {}), **own.get("env", {}))))


def family(pid: int, run: str) -> "list[int]":
    """The processes of a job's run: what descends from ``pid``, is in its session, or says so; zombies left out."""
    parents, found = {}, set()  # type: dict[int, int], set[int]
    mark = b"\0PDG_ITEM_RUN=" + run.encode() + b"\0"
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        try:
            each = int(name)
            with open("/proc/%s/stat" % name, "rb") as stream:
                fields = stream.read().rpartition(b")")[2].split()
            if fields[0] in (b"Z", b"X"):
                continue
            parents[each] = int(fields[1])
            if pid and pid in (each, int(fields[3])):
                found.add(each)
            elif run:
                with open("/proc/%s/environ" % name, "rb") as stream:
                    if mark in b"\0" + stream.read() + b"\0":
                        found.add(each)
        except (OSError, ValueError):  # no process; it has ended meanwhile; or it is somebody else's
            continue
    if _own_children:
        found.update(each for each, parent in parents.items() if parent == os.getpid() and each not in _own_children)
    new = set(found)
    while new:
        new = {each for each, parent in parents.items() if parent in new} - found
        found |= new
    return sorted(found - {os.getpid()})


def _signal_all(pid: int, run: str, number: int) -> bool:
    """Signal a job's processes; whether there were any."""
    some = False  # each is told but once: a program that ends on the first SIGTERM dies of a second one
    for each in family(pid, run) or ([-pid] if pid else []):
        with contextlib.suppress(OSError):
            os.kill(each, number)
            some = True
    return some


def end_family(pid: int, run: str, grace: float) -> "list[int]":
    """TERM, ``grace`` seconds, KILL, for all processes of a job; those that could not be ended."""
    if grace > 0 and _signal_all(pid, run, signal.SIGTERM):
        until = time.monotonic() + grace
        while time.monotonic() < until and family(pid, run):
            time.sleep(_LOOK)
    until = time.monotonic() + _KILL_TIME
    while _signal_all(pid, run, signal.SIGKILL) and family(pid, run) and time.monotonic() < until:
        time.sleep(_LOOK)
    return family(pid, run)


def _prctl(option: int, value: int) -> None:
    """Ask the kernel for a courtesy that only Linux has: without, the token still finds what has gone astray."""
    with contextlib.suppress(Exception):  # no ctypes, no libc, no prctl
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Guard:
    """A process that outlives this one, and ends the jobs that it leaves when it is killed: it hears that by a pipe.

    With ``fork`` it is a copy of this process (before there are threads), else this file is started again.
    """

    def __init__(self, fork: bool = False) -> None:
        self._lock = threading.Lock()
        read, self._pipe = os.pipe()
        if not fork:
            words = [sys.executable, "-I", "-S", os.path.abspath(__file__), "--guard"]
            self.pid = subprocess.Popen(words, stdin=read, start_new_session=True).pid
        else:
            self.pid = os.fork()
            if self.pid == 0:
                self.close()
                _become_guard(read)
        os.close(read)

    def close(self) -> None:
        """The guard ends."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def tell(self, pid: int, run: str, end: str = "") -> None:
        """If we are killed, end this run's processes and write its end to the file ``end``; ``pid`` -1: it is done."""
        if self._pipe >= 0:
            with self._lock:
                try:
                    os.write(self._pipe, json.dumps([pid, run, end]).encode() + b"\n")
                except OSError:  # somebody ended the guard: the job goes on without
                    self.close()


def _become_guard(read: int) -> None:
    """The forked guard goes its own way, never back."""
    try:
        os.setsid()
        for stream in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)  # the engine waits for who holds the job's output
        for name in _SIGNALS:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        guard(read)
    finally:
        os._exit(0)


def guard(read: int) -> int:
    """Hear of jobs until the pipe ends, then end those that are left; answers 0."""
    left, rest, until_end = {}, b"", select.poll()  # type: dict[str, tuple[int, str]], bytes, select.poll
    until_end.register(read, 0)
    for data in iter(lambda: os.read(read, 65536), b""):
        *lines, rest = (rest + data).split(b"\n")
        for pid, run, end in (json.loads(line.decode()) for line in lines):
            left[run] = (pid, end)
            if pid < 0:
                del left[run]
        until_end.poll(_TOGETHER)  # what is told of many short jobs is read together: not each of them wakes us up
    _own_children[:] = []
    for run, (pid, end) in left.items():
        end_family(pid, run, 0.0)
        if end and not os.path.exists(end):
            reason = "its wrapper was killed on %s" % _HOST
            said = {"token": run.partition("#")[0], "state": "lost", "exit": None, "reason": reason, "at": time.time()}
            write_end(end, said)
    return 0


def write_end(path: str, said: "Spec", draft: str = "") -> bool:
    """Write a file whole or not at all; whether it is there. ``draft`` becomes it: a file less to make."""
    draft, text = draft or "%s.%d.part" % (path, os.getpid()), json.dumps(said).encode()
    with contextlib.suppress(OSError):
        with open(draft, "wb", 0) as stream:
            whole = stream.write(text) == len(text)
        if whole:
            os.replace(draft, path)
            return True
    return False


def _first_line(*path: str) -> str:
    with contextlib.suppress(OSError), open(os.path.join(*path)) as stream:
        return stream.readline().strip()
    return ""


class Cook:
    """The result server of the job's cook, by the line protocol; others tell it by another ``where`` and ``call``."""

    #: Whether the cook has recorded then what it was told. If not, what is written down of the job's end stays.
    records = True

    def __init__(self, spec: "Spec") -> None:
        self._env = spec.get("env", {})
        self._scripts = spec.get("scripts") or os.path.dirname(os.path.abspath(__file__))

    def where(self) -> "tuple[str, str]":
        """Address, empty where there is none, and secret: by files of the present session, or as who sent us said."""
        address = _first_line(self._scripts, SERVER_FILE) or self._env.get("PDG_RESULT_SERVER", "")
        return address.strip("-"), _first_line(self._scripts, SECRET_FILE) or self._env.get("PDG_RESULT_SECRET", "")

    def call(self, words: "list[Any]") -> None:
        """One report, until it is recorded; OSError when nobody answers, Refused when the answer is no."""
        address, secret = self.where()
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise (Refused if address else OSError)('expected host:port, got "%s"' % address)
        with contextlib.closing(socket.create_connection((host.strip("[]"), int(port)), _ANSWER)) as connection:
            connection.sendall(("PDG1 %s\n%s\n" % (secret, json.dumps(words))).encode())
            said = b""
            while b"\n" not in said:
                data = connection.recv(4096)
                if not data:
                    raise OSError("the result server %s closed the connection" % address)
                said += data
        if said[:1] != b"+":
            raise Refused(said.partition(b"\n")[0].decode("utf-8", "replace"))

    def insist(self, words: "list[Any]", until: float, wait: "Callable[[float], bool]") -> None:
        """Report until it is recorded; raises Refused, or OSError past ``until`` (monotonic) or on ``wait(pause)``."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return self.call(words)
            except OSError:
                if not self.where()[0] or time.monotonic() + pause > until or wait(pause):
                    raise
            pause = min(pause * (1.6 + os.getpid() % 16 / 20.0), _LONGEST_PAUSE)  # not a thousand jobs at once


class Job:
    """One job: its command, its log, its end.

    Keys of ``spec``: argv, token, item, attempt; optional env, unset, cwd, log, ends (where files of ends go), scripts,
    grace and patience in seconds, signaled ("report": who signals us has canceled the job; "leave": the engine is
    asked why), leash, again (the engine may run it again by itself), expects (files without which it has failed).
    """

    def __init__(self, spec: "Spec", watcher: "Union[Guard, None]" = None, cook: "Union[Cook, None]" = None) -> None:
        self.spec, self.token = spec, str(spec["token"])
        self.run_id = "%s#%d.%.6f" % (self.token, os.getpid(), time.time())  # another run may begin while this one ends
        self.state, self.reason, self.exit = "", "", None  # type: str, str, Any
        self.pid = 0
        self._guard, self._cook = watcher, cook or Cook(spec)
        self._ending = None  # type: Union[threading.Thread, None]
        self._over = self._hurry = False
        env, ends = spec.get("env", {}), spec.get("ends", "")
        self._engine_id = os.environ.get(env.get("PDG_JOBID_VAR", ""), "") or env.get("PDG_JOBID", "")
        self._lock = threading.Lock()
        name = os.path.join(ends, self.token.replace("/", "_")) if ends else ""
        self.end_file, self.spool = (name + ".json", name + ".reports") if name else ("", "")
        self._began = name + ".began" if name and spec.get("again") else ""  # becomes the file of its end

    def run(self) -> int:
        """Run the command to its end, with all that goes with it."""
        took = self._ended_before()
        began, since = time.time() - took, time.monotonic() - took
        log, complaint = self._open_log(began)
        if self._began and not self.state:
            self._begin_again()
        self._guarded(0)  # before there is a process: the token finds it, whatever happens from here on
        process = self._start(log)
        os.close(log)
        if process is not None:
            self._watch(process)
        self._over = True
        if self._ending is not None:
            self._ending.join()
        self._tell(began, time.monotonic() - since, complaint)
        status = (1 if self.exit is None else self.exit) or int(self.state in ("failed", "signaled", "orphaned"))
        return status if status >= 0 else _SHELL_SIGNAL - status

    def _ended_before(self) -> float:
        """Where a run of this attempt has ended, and nobody has heard it, this one only tells it; its seconds."""
        with contextlib.suppress(Exception), open(self._began and self.end_file) as stream:  # none, or no such file
            said = json.load(stream)
            if said["state"] in ("succeeded", "failed", "canceled") and not self.state:
                self.state, self.reason, self.exit = said["state"], said["reason"], said["exit"]
                return max(0.0, float(said["at"] - said["began"]))
        return 0.0

    def _guarded(self, pid: int) -> None:
        if self._guard:
            self._guard.tell(pid, self.run_id, self.end_file)

    def _begin_again(self) -> None:
        """Where the engine has run this attempt before: what was told of outputs then counts no more."""
        again = os.path.exists(self.end_file) or os.path.exists(self._began)
        text = json.dumps(self._report("invalidate_cache", -1)) + "\n" if again else ""  # before all else that is told
        with contextlib.suppress(OSError), open(self.spool if again else self._began, "wb", 0) as stream:  # a full disk
            stream.write(text.encode())

    def cancel(self, reason: str, state: str = "canceled") -> None:
        """End the job from another thread or a signal handler; comes back at once."""
        self._hurry = True  # once it has ended, this is about the time that telling it takes
        if self.state or self._over:
            return
        self.state, self.reason = state, reason
        self._ending = threading.Thread(target=self._end_it)
        self._ending.start()

    def _end_it(self) -> None:
        with self._lock:  # not between the decision to start and the process
            pid = self.pid
        for each in end_family(pid, self.run_id, float(self.spec.get("grace", GRACE))):
            self.reason += "; process %d could not be ended" % each

    def _open_log(self, began: float) -> "tuple[int, str]":
        """The descriptor for the job's output, and why it is not the log's: a disk that is full stops no job."""
        path = self.spec.get("log", "")
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(began))
        heading = "topcook: %s on %s, %s\n" % (self.token, _HOST, when)
        try:
            for each in (self.spec.get("ends", ""), os.path.dirname(path)):
                if each and not os.path.isdir(each):
                    os.makedirs(each, exist_ok=True)
            log = os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(log, heading.encode("utf-8", "backslashreplace"))
                return log, ""
            except OSError:
                os.close(log)
                raise
        except OSError as problem:
            why = "its log %s could not be written: %s" % (path, problem.strerror or problem)
        return os.open(os.devnull, os.O_RDWR), why

    def _environment(self) -> "dict[str, str]":
        drop = tuple(self.spec.get("unset", ()))
        if drop not in _environs:
            _environs[drop] = {name: value for name, value in os.environ.items() if name not in drop}
        env = dict(_environs[drop], **self.spec.get("env", {}))
        scripts = self.spec.get("scripts", "")
        if scripts:
            kept = [each for each in env.get("PYTHONPATH", "").split(os.pathsep) if each and each != scripts]
            env["PYTHONPATH"] = os.pathsep.join([scripts, *kept])
        if self.spool:
            env["PDG_REPORT_SPOOL"] = self.spool
        env.update(PDG_ITEM_TOKEN=self.token, PDG_ITEM_RUN=self.run_id)
        return env

    def _start(self, log: int) -> "Any":
        argv, cwd, env, null = self.spec["argv"], self.spec.get("cwd") or None, self._environment(), subprocess.DEVNULL
        try:
            with self._lock:
                if self.state:
                    return None
                process = subprocess.Popen(argv, -1, None, null, log, log, cwd=cwd, env=env, start_new_session=True)
                self.pid = process.pid
        except (OSError, ValueError) as problem:
            what = 'its directory "%s"' % cwd if cwd and not os.path.isdir(cwd) else '"%s"' % argv[0]
            self.exit = _NOT_FOUND if isinstance(problem, FileNotFoundError) else _NOT_STARTED
            why = getattr(problem, "strerror", None) or problem
            self.state, self.reason = "failed", "%s could not be used on %s: %s" % (what, _HOST, why)
            return None
        self._guarded(self.pid)
        return process

    def _watch(self, process: "Any") -> None:
        """Report the start, as long as it is news; then wait."""

        def ended(pause: float) -> bool:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(pause)
            return process.returncode is not None

        with contextlib.suppress(OSError, Refused):
            if self._cook.where()[0]:
                self._cook.insist(self._report("start_cook"), float("inf"), ended)
        self.exit = status = process.wait()
        if not self.state:  # whom the kernel kills for his memory hears of no reason: the engine does
            left = status in (-signal.SIGKILL, _SHELL_SIGNAL + signal.SIGKILL) and self.spec.get("signaled") == "leave"
            self.state = ("signaled" if left else "failed") if status else "succeeded"
            self.reason = ("exit status %d" if status > 0 else "ended by signal %d") % abs(status) if status else ""
        missing = [path for path in self.spec.get("expects", ()) if not os.path.exists(path)]
        if missing and self.state == "succeeded":
            self.state, self.reason = "failed", 'it ended well, but its output "%s" was not written' % missing[0]

    def _report(self, method: str, *more: "Any") -> "list[Any]":
        return [method, self.spec.get("attempt"), self.spec.get("item"), *more, self._engine_id]

    def _tell(self, began: float, took: float, complaint: str) -> None:
        """Write the end down, then report it; what was told while nobody listened goes before it."""
        said = {name: self.spec.get(name) for name in ("token", "item", "attempt")}
        said.update(state=self.state, exit=self.exit, reason=self.reason, began=began, at=time.time())
        said.update(host=_HOST, job=self._engine_id, complaint=complaint)
        if self.end_file and not self._write_down(said):
            complaint = complaint or "its end could not be written to %s" % self.end_file
        self._guarded(-1)  # to report it may take long: its process's number may be another's by then
        if not self._cook.where()[0] or (self.state in ("signaled", "orphaned")):
            return
        until = time.monotonic() + float(self.spec.get("patience", PATIENCE))
        status = self.exit if self.exit is not None else 1
        last = self._report("ended", self.state, status, took, self.reason)
        kept = not self._cook.records
        for words in [*self._spooled(), *([self._report("warning", complaint)] if complaint else []), last]:
            try:
                self._cook.insist(words, until, self._rest)
            except Refused as problem:
                _complain("%s: a report was refused: %s" % (self.token, problem))
                kept = kept or words is last
            except OSError as problem:
                _complain("%s: the end was not reported: %s" % (self.token, problem))
                return
        if self.end_file and not kept:  # the cook has recorded it
            for path in (self.spool, self.end_file):
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def _write_down(self, said: "Spec") -> bool:
        return write_end(self.end_file, said, self._began)

    def _rest(self, pause: float) -> bool:
        until = time.monotonic() + pause
        while not self._hurry and time.monotonic() < until:
            time.sleep(min(pause, 0.2))
        return self._hurry

    def _spooled(self) -> "list[Any]":
        """What the job could not report itself: maybe nothing, maybe a line that a full disk has cut."""
        found = []
        with contextlib.suppress(OSError), open(self.spool, "rb") as stream:
            for line in stream:
                with contextlib.suppress(ValueError, RecursionError):
                    found.append(json.loads(line.decode()))
        return found


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody listens: closed, or a full disk
        sys.stderr.write("topcook: %s\n" % text)
        sys.stderr.flush()


def _heed_signals(job: Job) -> None:
    means, parent = "canceled" if job.spec.get("signaled", "report") == "report" else "signaled", os.getppid()

    def heed(number: int, _frame: "Any") -> None:
        if number != signal.SIGURG:
            job.cancel("ended by %s" % signal.Signals(number).name, means)
        elif os.getppid() != parent:  # it also comes when just a thread of our parent has ended
            job.cancel("what started it is gone", "orphaned")

    for name in _SIGNALS:
        signal.signal(getattr(signal, name), heed)
    if job.spec.get("leash"):  # its engine holds the node for dead then, and runs it again elsewhere
        signal.signal(signal.SIGURG, heed)
        _prctl(_PARENT_DEATH, signal.SIGURG)


def main() -> int:
    """Run one job of a job file; the exit status is its command's, as a shell tells it."""
    words = sys.argv[1:]
    if words == ["--guard"]:
        return guard(0)
    while os.open(os.devnull, os.O_RDWR) <= 2:  # noqa: PLR2004 - a closed one of the three would be the next file's
        pass
    try:
        spec = read_job(words[0], int(words[1] if words[1:] else os.environ.get("SLURM_ARRAY_TASK_ID", "0")))
    except (OSError, ValueError, IndexError) as problem:
        _complain("cannot read the job: %s" % problem)
        return _NOT_STARTED
    watcher = Guard(fork=True)
    _own_children.append(watcher.pid)
    _prctl(_SUBREAPER, 1)
    job = Job(spec, watcher)
    _heed_signals(job)
    status = job.run()
    watcher.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
