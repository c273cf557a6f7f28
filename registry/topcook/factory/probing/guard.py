"""Compare what a types file did to its process with what it found there, put back what can be put back, and say it.

Each watch answers with what it noticed, and whether the process can go on. A process that cannot surely be what it
was, with threads, children or open files left in it or other people's code replaced, is spoiled.
"""

from __future__ import annotations

import builtins
import importlib
import os
import re
import signal
import sys
import threading
import time
from _thread import _count as threads_alive
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from topcook.factory.probing.descriptors import Descriptors
from topcook.factory.probing.library import Library
from topcook.factory.probing.ownstate import OwnState
from topcook.factory.probing.traits import trait_problem

if TYPE_CHECKING:
    from topcook.errors import Problem
    from topcook.factory.sources import Candidate

__all__ = ["Guard"]

#: How long what is just ending may take to end, in seconds.
_GRACE = 0.05
#: How long a thread may take to begin, on a busy machine.
_BEGINNING = 0.5

#: The C function: signal's own makes an enumeration member of each number, which takes long for 64 of them.
handler_of: Callable[[int], Any] = vars(importlib.import_module("_signal"))["getsignal"]

Noticed = tuple[str, dict[str, Any]]


class Guard:
    """The state of a worker before it executed anything, and what became of it."""

    def __init__(self, private: tuple[int, ...]) -> None:
        """Remember all of it; ``private`` are the worker's own descriptors."""
        self.spoiled = False
        self._directory = os.getcwd()
        self._forks: list[tuple[str, int]] = []
        self._threads, self._native = threads_alive(), _native_threads()
        self._signals = {number: handler_of(number) for number in signal.valid_signals()}
        self._limits = _process_limits()
        self._builtins = dict(vars(builtins))
        self._own = OwnState()
        self._library = Library()
        self._descriptors = Descriptors(private)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_parent=self._forked, after_in_child=self._in_child)

    @property
    def intact(self) -> bool:
        """Whether the worker can still be heard."""
        return self._descriptors.intact()

    @property
    def foreign(self) -> bool:
        """Whether libraries were imported that may be edited while this process lives."""
        return self._own.foreign

    def begin(self) -> None:
        """Forget what a file before this one was noticed for."""
        self._forks.clear()

    def noticed(self, candidate: Candidate, content: bytes) -> list[Problem]:
        """All traits of a file that was just executed; afterwards the process is as before, or ``spoiled``."""
        directory = os.path.join(os.path.dirname(candidate.path), "")
        watches: tuple[Callable[[str], Iterator[Noticed]], ...] = (
            self._look_at_trace,
            self._look_at_forks,
            self._look_at_children,
            self._look_at_threads,
            self._look_at_code,
            self._look_at_signals,
            self._look_at_limits,
            self._look_at_output,
        )
        found = [noticed for watch in watches for noticed in watch(directory)]
        if content and _is_gone(candidate.path):
            found.append(("deletes-itself", {}))
        self._own.put_back()
        if _directory() != self._directory:
            os.chdir(self._directory)
        return [trait_problem(code, candidate, content, **details) for code, details in found]

    def _in_child(self) -> None:
        """A child must never be heard as if it were this worker."""
        for descriptor in self._descriptors.private:
            try:
                os.close(descriptor)
            except OSError:
                continue

    def _forked(self) -> None:
        """Remember where, unless it is the standard library's own way to start a program."""
        frame = sys._getframe(1)  # noqa: SLF001 - the one way to know who forks
        places = []
        current: Any = frame
        while current is not None:
            places.append((current.f_code.co_filename, current.f_lineno))
            current = current.f_back
        if not any(os.path.basename(path) == "subprocess.py" for path, _ in places[:2]):
            self._forks.append(next((each for each in places if not _is_library(each[0])), places[0]))

    def _look_at_trace(self, directory: str) -> Iterator[Noticed]:
        del directory
        if sys.gettrace() is not None or sys.getprofile() is not None:
            sys.settrace(None)
            sys.setprofile(None)
            yield "sets-trace", {}
        threading.settrace(None)
        threading.setprofile(None)

    def _look_at_forks(self, directory: str) -> Iterator[Noticed]:
        for path, line in self._forks[:1]:
            yield "forks", {"place": (path, line) if path.startswith(directory) else None}

    def _look_at_children(self, directory: str) -> Iterator[Noticed]:
        del directory
        if not hasattr(os, "waitid"):
            return
        names = _children(time.monotonic() + _GRACE)
        if names:
            self.spoiled = True
            count = "a child process" if len(names) == 1 else f"{len(names)} child processes"
            what = ", ".join(filter(None, names))
            yield "leaves-children", {"what": f"{count} ({what})" if what else count}

    def _look_at_threads(self, directory: str) -> Iterator[Noticed]:
        end = time.monotonic() + _GRACE
        while threads_alive() > self._threads and time.monotonic() < end:
            time.sleep(0.002)
        # A bare thread is counted only once it has begun. Threads that are none of Python's, a numeric library's for
        # instance, never are, and do no harm.
        end = time.monotonic() + _BEGINNING
        while _native_threads() > self._native and threads_alive() <= self._threads and time.monotonic() < end:
            time.sleep(0.002)
        self._native = max(_native_threads(), self._native)
        count = threads_alive() - self._threads
        if count > 0:
            self.spoiled = True
            names = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
            what = "a thread" if count == 1 else f"{count} threads"
            what = f"{what} ({', '.join(names[:4])})" if names else what
            yield "leaves-threads", {"what": what, "place": _place_of_threads(directory)}

    def _look_at_code(self, directory: str) -> Iterator[Noticed]:
        replaced = self._library.changed(directory)
        now = vars(builtins)
        if now != self._builtins:
            replaced += [f"builtins.{key}" for key, value in self._builtins.items() if now.get(key) is not value]
            now.clear()
            now.update(self._builtins)
        if replaced:
            self.spoiled = True
            more = f" and {len(replaced) - 3} more" if len(replaced) > 3 else ""  # noqa: PLR2004 - enough to see what it is
            names = b"|".join(re.escape(_last_word(each)).encode() for each in replaced)
            pattern = rb"\b(?:%b)(?:[\"'])?\]?\s*=(?!=)|[\"'](?:%b)[\"']" % (names, names)
            yield "patches-library", {"what": ", ".join(replaced[:3]) + more, "pattern": pattern}

    def _look_at_signals(self, directory: str) -> Iterator[Noticed]:
        del directory
        changed = [number for number, handler in self._signals.items() if handler_of(number) is not handler]
        names = [_signal_name(number) for number in changed]
        for number in changed:
            handler = self._signals[number]
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if hasattr(signal, "setitimer"):
            timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
            running = [signal.setitimer(timer, 0)[0] for timer in timers]
            if any(running):
                names.append("a timer")
        if hasattr(signal, "pthread_sigmask") and signal.pthread_sigmask(signal.SIG_SETMASK, []):
            names.append("the signal mask")
        if signal.set_wakeup_fd(-1) != -1:
            names.append("the wake-up descriptor")
        if names:
            yield "takes-signals", {"what": ", ".join(names)}

    def _look_at_limits(self, directory: str) -> Iterator[Noticed]:
        del directory
        now = _process_limits()
        changed = [name for name, value in self._limits.items() if now[name] != value]
        if changed:
            # A limit that was lowered for good, or a user given up, cannot be had back.
            self.spoiled = True
            yield "changes-process", {"what": " and ".join(changed)}

    def _look_at_output(self, directory: str) -> Iterator[Noticed]:
        del directory
        closed = self._descriptors.closed()
        if closed:
            self.spoiled = True
            yield "closes-output", {"what": ", ".join(closed)}
        self._descriptors.fresh_streams()
        if self._descriptors.left_open():
            # No problem: a log file is opened by many. But nobody can close it without harm.
            self.spoiled = True


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _last_word(name: str) -> str:
    """``run`` of ``threading.Thread.run``, ``json`` of ``sys.modules['json']``."""
    return re.split(r"\W+", name.rstrip("]'"))[-1]


def _is_library(path: str) -> bool:
    return path.startswith((os.path.dirname(os.__file__), "<frozen"))


def _directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _is_gone(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        # A file that gave up its user may not be seen by what is left of its process.
        return False
    return False


def _children(end: float) -> list[str]:
    """What the children that still run are called; those that have ended are collected."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return []
        if found is None:
            if time.monotonic() > end:
                break
            time.sleep(0.002)
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
            return [_called(pid) for pid in stream.read().split()] or [""]
    except OSError:
        return [""]


def _called(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def _native_threads() -> int:
    """All threads of this process, those that have not begun yet too; 0 where that cannot be known."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _place_of_threads(directory: str) -> tuple[str, int] | None:
    """Where the first thread besides ours is in a file of that directory."""
    for frame in sys._current_frames().values():  # noqa: SLF001 - the one way to see other threads
        current: Any = frame if frame is not sys._getframe() else None  # noqa: SLF001
        while current is not None and not current.f_code.co_filename.startswith(directory):
            current = current.f_back
        if current is not None:
            return current.f_code.co_filename, current.f_lineno
    return None


def _process_limits() -> dict[str, object]:
    import _locale

    found: dict[str, object] = {"the locale": _locale.setlocale(_locale.LC_ALL, None)}
    if hasattr(os, "getresuid"):
        found["the user"] = (os.getresuid(), os.getresgid())
    if os.name == "posix":
        mask = os.umask(0o077)
        os.umask(mask)
        found["the umask"] = mask
        found["the priority"] = os.nice(0)
    try:
        import resource
    except ImportError:
        return found
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    found["the limits"] = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    return found
