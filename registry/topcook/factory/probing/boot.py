"""What a probe worker runs first; started by its path, before anything of ours can be imported.

Where processes can be forked it becomes two: a supervisor that never executes foreign code, and the worker. The
supervisor ends the worker and all that descends from it once the host is gone, and ends as the worker ended, so that
the host has one process to look at. Standard library only, and little of it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Private descriptors lie where a loop that closes "all" of them up to a usual number does not come by.
_HIGH = 700


def main() -> None:
    """Put the pipes out of reach, split in two where that can be, and hand over to the worker proper."""
    requests, reports = _private(0), _private(1)
    dumps = _private(int(sys.argv[1])) if len(sys.argv) > 1 else -1
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    supervised = hasattr(os, "fork") and _split(requests, reports, dumps)
    length = int.from_bytes(_exactly(requests, 4), "big")
    import json

    greeting = json.loads(_exactly(requests, length))
    greeting["supervised"] = supervised
    sys.path[:] = greeting["sys_path"]
    sys.argv[:] = [""]
    from topcook.factory.probing.worker import serve

    serve(requests, reports, dumps, greeting)


def _private(descriptor: int) -> int:
    """A copy at a high number, which no child inherits, instead of the descriptor itself."""
    try:
        import fcntl

        copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    except (ImportError, OSError):
        copy = os.dup(descriptor)
    if descriptor > 2:  # noqa: PLR2004 - the three standard ones are given another meaning below
        os.close(descriptor)
    return copy


def _exactly(descriptor: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = os.read(descriptor, count - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def _split(requests: int, reports: int, dumps: int) -> bool:
    """Returns in the worker, with whether there is a supervisor; that one never returns."""
    import signal

    prctl = _prctl()
    prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans become ours, and end with us
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    supervisor = os.getpid()
    try:
        worker = os.fork()
    except OSError:
        worker = 0
    if worker == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(woken)
        os.close(wake)
        if os.getpid() != supervisor:
            os.setsid()
            prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() != supervisor:
                os._exit(0)
        return os.getpid() != supervisor
    for descriptor in (1, 2, reports, dumps):
        if descriptor >= 0:
            os.close(descriptor)
    _supervise(worker, requests, woken)
    return False


def _prctl() -> Callable[[int, int], object]:
    if not sys.platform.startswith("linux"):
        return lambda *_: None
    import ctypes

    prctl: Callable[[int, int], object] = ctypes.CDLL(None).prctl
    return prctl


def _supervise(worker: int, requests: int, woken: int) -> None:
    """Wait for the worker's end, or bring it about when nobody can ask anything any more; then end the same way."""
    import select
    import signal

    waiting = select.poll()
    waiting.register(requests, 0)  # no event asked for: only that the other end is closed
    waiting.register(woken, select.POLLIN)
    status = None
    while status is None:
        for descriptor, _ in waiting.poll():
            if descriptor == woken:
                os.read(woken, 4096)
            else:
                waiting.unregister(requests)
                os.kill(worker, signal.SIGKILL)
        status = _ended(worker)
    _end_children()
    signum = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if signum:
        signal.signal(signum, signal.SIG_DFL) if signum != signal.SIGKILL else None
        os.kill(os.getpid(), signum)
    os._exit(os.WEXITSTATUS(status))


def _ended(worker: int) -> int | None:
    """The worker's status once it has ended; orphans that ended are taken along."""
    while True:
        try:
            # Looked at before it is collected: until then its number belongs to its group and to nobody else.
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        if found is None:
            return None
        if found.si_pid == worker:
            _kill(os.killpg, worker)
        _, status = os.waitpid(found.si_pid, 0)
        if found.si_pid == worker:
            return status


def _kill(kill: Callable[[int, int], None], number: int) -> None:
    import signal

    try:
        kill(number, signal.SIGKILL)
    except OSError:
        return


def _end_children() -> None:
    while True:
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
                children = [int(each) for each in stream.read().split()]
        except OSError:
            return
        for child in children:
            _kill(os.kill, child)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
