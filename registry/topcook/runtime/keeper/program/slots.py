"""One pool of slots for all cooks of a user on this machine: locked files, which the system frees when a holder dies.

``slot.N`` is held by who has a lock on it. Who finds none free leaves a ticket, a file named by the time and locked as
well, and the oldest ticket goes first; who holds slots gives one back after each job while somebody waits. ``bell`` is
written to when something came free.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time

_TICKET = "wait."
#: Between two looks without the bell, in seconds: soon after something has happened, since the locks of a process that
#: was killed come free only after its files were closed.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0
_IN_MODIFY, _IN_CLOSE_WRITE = 0x2, 0x8


class MachineSlots:
    """This keeper's share of the pool."""

    def __init__(self, directory: str, count: int, keeper_id: str) -> None:
        """Open the files of ``count`` slots; raises OSError."""
        self.count = count
        self._directory = directory
        self._keeper_id = keeper_id
        os.makedirs(directory, 0o700, exist_ok=True)
        self._files: list[int] = []
        self._open_all()
        #: The numbers of the slots that are locked by us, and how many of these have a job.
        self._held: list[int] = []
        self._used = 0
        self._ticket = ""
        self._ticket_file = -1
        self._pause = _FIRST_PAUSE
        #: When to try again without being woken; 0 while nobody waits.
        self.retry_at = 0.0
        #: To be polled for the bell; -1 where the system has nothing to watch files with.
        self.fd = _watch(os.path.join(directory, "bell")) if self._make_bell() else -1

    def take(self, weight: int) -> bool:
        """Get slots for a job; False when they are not to be had, and we wait for them."""
        weight = min(weight, self.count)
        missing = self._used + weight - len(self._held)
        if missing > 0 and self._is_next():
            while missing > 0 and self._lock_one():
                missing -= 1
        elif missing > 0:
            # It may wait for the very slots that we gathered before it stood in line: each would have a part for ever.
            self._free_rest()
        if missing > 0:
            self._wait()
            return False
        self._used += weight
        self._leave_line()
        return True

    def give(self, weight: int) -> None:
        """A job has ended; its slots go to those who wait longer than we do."""
        self._used -= min(weight, self.count)
        if not self._is_next():
            self._free_rest()

    def settle(self, *, waiting: bool) -> None:
        """Keep nothing that is not used, unless a job of ours waits for more."""
        if not waiting:
            self._leave_line()
        if not self._ticket:
            self._free_rest()

    def heard(self) -> None:
        """Somebody rang: look again."""
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            return
        self._pause = _FIRST_PAUSE
        self.retry_at = time.monotonic() + self._pause if self._ticket else 0.0

    # -- slots ----------------------------------------------------------------------------------------------------

    def _open_all(self) -> None:
        try:
            for number in range(self.count):
                self._files.append(self._open(f"slot.{number}"))
            # Not every disk has locks. One that another holds shows as well that here there are.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._files[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(self._files[0], fcntl.LOCK_UN)
        except OSError:
            for file in self._files:
                os.close(file)
            raise

    def _lock_one(self) -> bool:
        for number, file in enumerate(self._files):
            if number not in self._held and _lock(file, fcntl.LOCK_EX):
                self._held.append(number)
                return True
        return False

    def _free_rest(self) -> None:
        if len(self._held) <= self._used:
            return
        while len(self._held) > self._used:
            fcntl.flock(self._files[self._held.pop()], fcntl.LOCK_UN)
        self._ring()

    # -- the line -------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Look again after a while, and stand in line until then."""
        if not self._ticket:
            self._stand_in_line()
        self.retry_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _stand_in_line(self) -> None:
        try:
            name = f"{time.monotonic_ns():020}.{self._keeper_id}"
            draft = os.path.join(self._directory, f"new.{name}")
            file = self._open(f"new.{name}")
            # Locked before anybody can see it: an unlocked ticket is a dead one's.
            _lock(file, fcntl.LOCK_EX)
            os.rename(draft, os.path.join(self._directory, _TICKET + name))
        except OSError:
            # A full disk, or no descriptor left: we look again without a place in the line.
            return
        self._ticket, self._ticket_file = _TICKET + name, file

    def _leave_line(self) -> None:
        if not self._ticket:
            return
        _remove(os.path.join(self._directory, self._ticket))
        os.close(self._ticket_file)
        self._ticket, self._ticket_file = "", -1
        self._pause, self.retry_at = _FIRST_PAUSE, 0.0
        # There may be more than one free.
        self._ring()

    def _is_next(self) -> bool:
        """Whether nobody waits for longer than we do."""
        try:
            names = sorted(os.listdir(self._directory))
        except OSError:
            # Somebody removed it: those who have their slots open still share them.
            return True
        for name in names:
            if not name.startswith(_TICKET):
                continue
            if self._ticket and name >= self._ticket:
                return True
            if self._lives(name):
                return False
        return True

    def _lives(self, name: str) -> bool:
        """Whether the keeper that left a ticket still waits; a dead one's is removed."""
        path = os.path.join(self._directory, name)
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if not _lock(file, fcntl.LOCK_SH):
                return True
            _remove(path)
            return False
        finally:
            os.close(file)

    # -- the bell -------------------------------------------------------------------------------------------------

    def _make_bell(self) -> bool:
        # Held open for writing: that it is closed when we die is a ring, too.
        self._bell = os.open(os.path.join(self._directory, "bell"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return sys.platform == "linux"

    def _ring(self) -> None:
        try:
            os.pwrite(self._bell, b"\0", 0)
        except OSError:
            # A full disk: those who wait look again by themselves.
            return

    def _open(self, name: str) -> int:
        # To be written to, although nobody does: a network disk locks no file for its only owner that is just read.
        return os.open(os.path.join(self._directory, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        # Another has it; or a network disk is away for a while, and then nobody gets any.
        return False
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Somebody else did; or the disk is away, and an unlocked ticket is a dead one's.
        return


def _watch(path: str) -> int:
    """A descriptor that becomes readable when somebody writes to the file, or closes it after that; -1 without one."""
    try:
        import ctypes

        library = ctypes.CDLL(None)
        fd = int(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if fd < 0 or library.inotify_add_watch(fd, os.fsencode(path), _IN_MODIFY | _IN_CLOSE_WRITE) < 0:
            return -1
    except (ImportError, OSError, AttributeError):
        return -1
    return fd
