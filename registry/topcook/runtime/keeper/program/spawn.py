"""Starting one command: directory, log, environment, session, and no shell in between."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Mapping

NOT_ALLOWED, NOT_FOUND = 126, 127  # as every shell has it
#: The machine is short of something for the moment; trying again helps.
PASSING = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
#: A job finds every signal as the system sets it, whatever the keeper handles, Python ignores, or nohup left behind.
RESET_SIGNALS = tuple(sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))
_DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"


class NotStartedError(Exception):
    """A command could not be started; ``status`` is what a shell would have returned."""

    def __init__(self, reason: str, status: int = NOT_ALLOWED, *, passing: bool = False) -> None:
        """``passing``: the same command may start in a moment."""
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.passing = passing


class Spawner:
    """Starts commands; remembers where on PATH it found them, as a shell does."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._found: dict[tuple[bytes, bytes], bytes] = {}
        self._confine: Callable[[], None] | None = None

    def spawn(
        self,
        argv: list[bytes],
        env: Mapping[bytes, bytes],
        cwd: bytes,
        log_path: bytes,
        confine: Callable[[], None] | None = None,
    ) -> int:
        """Start ``argv`` in ``cwd`` with its output appended to ``log_path``; returns the pid.

        The keeper itself changes directory (it has one thread, and posix_spawn cannot). ``confine`` is called in the
        new process before it becomes the command. Raises NotStartedError, with the reason also written into the log.
        """
        self._confine = confine
        try:
            log = _open_log(log_path)
        except OSError as error:
            raise _not_started(f"the log file {_quoted(log_path)}", error) from None
        try:
            try:
                os.chdir(cwd)
            except OSError as error:
                raise _not_started(f"the working directory {_quoted(cwd)}", error) from None
            return self._exec(argv, env, log)
        except NotStartedError as error:
            if not error.passing:
                _tell(log, error.reason)
            raise
        finally:
            os.close(log)

    def _exec(self, argv: list[bytes], env: Mapping[bytes, bytes], log: int) -> int:
        name = argv[0]
        search = env.get(b"PATH", _DEFAULT_PATH)
        known = self._found.get((name, search))
        path = name if b"/" in name else known or self._look_up(name, search)
        try:
            return self._posix_spawn(path, argv, env, log)
        except ValueError as error:
            raise NotStartedError(f"cannot start {_quoted(name)}: {error}") from None
        except OSError as error:
            self._found.pop((name, search), None)
            if known is not None:
                # There it was for an earlier job; it may be elsewhere by now.
                return self._exec(argv, env, log)
            if error.errno == errno.ENOEXEC:
                return self._by_shell(path, argv, env, log)
            raise _exec_failed(name, path, error) from None

    def _look_up(self, name: bytes, search: bytes) -> bytes:
        path = _find(name, search)
        if all(each.startswith(b"/") for each in search.split(b":")):
            # What is searched from a job's own directory on may be another file for the next one.
            self._found[name, search] = path
        return path

    def _by_shell(self, path: bytes, argv: list[bytes], env: Mapping[bytes, bytes], log: int) -> int:
        """No "#!": execvp and every shell hand such a file to /bin/sh."""
        try:
            return self._posix_spawn(b"/bin/sh", [b"/bin/sh", path, *argv[1:]], env, log)
        except OSError as error:
            raise _exec_failed(argv[0], b"/bin/sh", error) from None

    def _posix_spawn(self, path: bytes, argv: list[bytes], env: Mapping[bytes, bytes], log: int) -> int:
        # Every descriptor of the keeper closes on exec; 0 is /dev/null and stays.
        if self._confine is not None:
            from .limits import fork_exec

            return fork_exec(path, argv, env, log, self._confine)
        actions = ((os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2))
        return os.posix_spawn(
            path, argv, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=RESET_SIGNALS
        )


def _open_log(path: bytes) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o644)


def _find(name: bytes, search: bytes) -> bytes:
    """The first executable of that name on the path, else NotStartedError."""
    denied = b""
    for directory in search.split(b":"):
        path = os.path.join(directory or b".", name)
        try:
            mode = os.stat(path).st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode):
            if os.access(path, os.X_OK):
                return path
            denied = denied or path
    if denied:
        raise NotStartedError(f"cannot start {_quoted(name)}: {_quoted(denied)} is not executable")
    raise NotStartedError(f"cannot start {_quoted(name)}: not found on PATH ({os.fsdecode(search)})", NOT_FOUND)


def _exec_failed(name: bytes, path: bytes, error: OSError) -> NotStartedError:
    if error.errno == errno.ENOENT and os.path.exists(path):
        return NotStartedError(
            f"cannot start {_quoted(path)}: the interpreter its first line names does not exist", NOT_FOUND
        )
    if error.errno == errno.ENOENT:
        return NotStartedError(f"cannot start {_quoted(name)}: no such file", NOT_FOUND)
    if error.errno == errno.EACCES and os.path.isdir(path):
        return NotStartedError(f"cannot start {_quoted(name)}: it is a directory")
    return _not_started(f"cannot start {_quoted(name)}", error)


def _not_started(what: str, error: OSError) -> NotStartedError:
    return NotStartedError(f"{what}: {error.strerror}", passing=error.errno in PASSING)


def _quoted(text: bytes) -> str:
    return f'"{os.fsdecode(text)}"'


def _tell(log: int, reason: str) -> None:
    try:
        os.write(log, f"topcook: {reason}\n".encode(errors="surrogateescape"))
    except OSError:
        # The report carries the reason as well; a full disk must not cost it.
        return
