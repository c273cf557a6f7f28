"""One cook at a time of one identity: a file in the working directory that says who cooks, and that it still does.

The file is the pointer to the cook's journal as well, and stays when the cook has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from topcook.errors import CookRefusedError
from topcook.runtime.alive import SILENT, Process, ago, clock_text
from topcook.runtime.statedir import drop_old_cooks, is_cook_id

if TYPE_CHECKING:
    from topcook.runtime.journal.identity import Identity

__all__ = ["BEAT", "CookLock", "pointer_lives", "read_pointer"]

VERSION = 1
#: Seconds between two signs of life.
BEAT = 5.0
#: Seconds to wait for another process that looks at the same file.
_PATIENCE = 10.0
#: Journals of earlier cooks that the pointer knows.
KEPT = 3

#: What it says of each.
_EARLIER = ("host", "cook", "journal")

#: Pointers that cooks of this process hold: file locks do not tell threads of one process apart.
_held: set[str] = set()
_held_lock = threading.Lock()


def read_pointer(path: str) -> dict[str, Any] | None:
    """What a pointer says; ``None`` when there is none, or nothing that could be one."""
    try:
        with open(path, encoding="utf-8") as stream:
            said = json.load(stream)
        Process.read(said["process"])
        texts = (said["network"], said["scheduler"], said["journal"], said["ended"] or "")
        times = (said["heartbeat"], said["started"])
        fits = is_cook_id(said["cook"]) and said["version"] == VERSION
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = fits and all(isinstance(text, str) for text in texts)
    return said if fits and all(isinstance(each, int | float) for each in times) else None


def _known(before: object) -> Iterator[dict[str, str]]:
    """The earlier cooks that a pointer knows, as far as they can be some."""
    for each in before if isinstance(before, list) else ():
        if isinstance(each, dict) and is_cook_id(each.get("cook")):
            told = {name: text for name in _EARLIER if isinstance(text := each.get(name), str)}
            if len(told) == len(_EARLIER):
                yield told


def pointer_lives(path: str, said: dict[str, Any]) -> bool:
    """Whether the cook goes on that the pointer at ``path`` names; ``said`` is what was read there."""
    return said["ended"] is None and _lives(Process.read(said["process"]), _age(path))


class CookLock:
    """Held from ``take`` to ``release``; tells every ``BEAT`` seconds that its cook lives."""

    def __init__(self, identity: Identity, cook_id: str, journal: str) -> None:
        """Nothing is taken yet; ``journal`` is the path that the pointer shall name."""
        self.identity = identity
        self.cook_id = cook_id
        self.journal = journal
        #: Whether the journal is there, so that it can be missed.
        self.journal_made = False
        self.path = identity.pointer
        #: What was found: cooks of this identity that came before, newest first: host, cook, journal.
        self.before: list[dict[str, str]] = []
        #: The cook that held it when it died, on this machine; empty when there is none.
        self.died = ""
        #: What to tell people about the taking; empty when there is nothing.
        self.told = ""
        #: Called on the heartbeat's thread with words when another cook has taken the pointer, or the journal is gone.
        self.lost: Callable[[str], None] = lambda _words: None
        self._process = Process.own()
        self._old: dict[str, Any] | None = None
        self._facts: dict[str, Any] = {
            "version": VERSION,
            "cook": cook_id,
            "network": identity.network,
            "scheduler": identity.scheduler,
            "process": self._process.facts(),
            "started": time.time(),
            "journal": journal,
            "ended": None,
        }
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> None:
        """Take it, also from a cook that died; raises ``CookRefusedError`` while its cook lives, ``OSError``."""
        with _held_lock:
            if self.path in _held:
                raise CookRefusedError("this network is being cooked by this very process already")
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with _guarded(self.path):
                self._look()
                self._write()
            _held.add(self.path)
        self._thread = threading.Thread(target=self._beat, name="topcook-heartbeat", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        old = self._old = read_pointer(self.path)
        if old is None:
            return
        if old["ended"] is None:
            holder = Process.read(old["process"])
            silent = _age(self.path)
            if _lives(holder, silent):
                raise CookRefusedError(_refusal(old, holder, silent))
            self.told = _taken_over(old, holder, silent)
            self.died = old["cook"] if holder.is_here() and old["cook"] != self.cook_id else ""
        cook = {"host": old["process"]["host"], "cook": old["cook"], "journal": old["journal"]}
        known = [cook, *_known(old.get("before"))]
        self.before = [each for each in known if each["journal"] and each["cook"] != self.cook_id]

    def _write(self) -> None:
        facts = {**self._facts, "heartbeat": time.time(), "before": self.before[: 2 * KEPT]}
        _replace(self.path, json.dumps(facts, indent=1))

    def _beat(self) -> None:
        tidied = False
        while not self._over.wait(BEAT):
            if not tidied:
                tidied = True
                drop_old_cooks()
            if self.journal_made and not _is_there(self.journal):
                # SQLite would go on writing into a file that nobody can open any more.
                self.journal_made = False
                self.lost(f'the journal "{self.journal}" was removed while the cook ran: nothing can be kept any more')
            said = read_pointer(self.path)
            if said is not None and (said["cook"], said["process"]) != (self.cook_id, self._facts["process"]):
                self._over.set()
                holder = Process.read(said["process"])
                self.lost(
                    f"another cook of this network has begun on {holder.host} (process {holder.pid}, cook "
                    f"{said['cook']}), because this one gave no sign of life for a while; this one ends"
                )
                return
            # A disk that is full or away for a while is no reason to end; who looks sees how old it is.
            with contextlib.suppress(OSError):
                self._write()

    def release(self, outcome: str) -> None:
        """The cook is over; a refused one leaves the pointer as it was. Again a no-op."""
        with _held_lock:
            if self.path not in _held or self._thread is None:
                return
            _held.discard(self.path)
        lost = self._over.is_set()
        self._over.set()
        # A file server that hangs must not keep the cook from ending.
        self._thread.join(BEAT)
        if lost:
            return
        with contextlib.suppress(OSError):
            if outcome != "refused":
                self._facts["ended"] = outcome or "broken"
                self._write()
            elif self._old is None:
                os.unlink(self.path)
            else:
                _replace(self.path, json.dumps(self._old, indent=1))


def _is_there(path: str) -> bool:
    """Whether a file is there; one on a disk that does not answer is."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _lives(holder: Process, silent: float) -> bool:
    """Whether a cook goes on: known of processes that this one can see, else told by its last sign of life."""
    if not holder.is_here() or holder.is_in_another_container():
        return silent < SILENT
    return holder.is_alive()


def _refusal(old: dict[str, Any], holder: Process, silent: float) -> str:
    sign = "" if holder.is_here() else f"; its last sign of life is {ago(silent)} old"
    cancel = f"topcook cancel {old['cook']}" if holder.is_here() else f"ssh {holder.host} topcook cancel {old['cook']}"
    return (
        f'"{old["network"]}" is being cooked already: cook {old["cook"]} by {holder.user} on {holder.host} '
        f"(process {holder.pid}), since {clock_text(old['started'])}{sign}\n"
        f"    wait for it, or end it: {cancel}\n"
        "    to cook beside it, give this cook another working directory: --parm SCHEDULER.pdg_workingdir=DIR"
    )


def _taken_over(old: dict[str, Any], holder: Process, silent: float) -> str:
    why = "is gone" if holder.is_here() else f"gave no sign of life for {ago(silent)}"
    return f"cook {old['cook']} of this network did not end: process {holder.pid} on {holder.host} {why}"


def _age(path: str) -> float:
    """Seconds since a file was written, by the clock of the disk that it is on."""
    try:
        written = os.stat(path).st_mtime
        probe = f"{path}.{os.getpid()}.clock"
        os.close(_made(probe))
        try:
            os.utime(probe)
            return max(0.0, os.stat(probe).st_mtime - written)
        finally:
            os.unlink(probe)
    except OSError:
        return 0.0


def _replace(path: str, text: str) -> None:
    draft = f"{path}.{os.getpid()}.part"
    try:
        with open(_made(draft), "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _made(path: str) -> int:
    """A new file, opened to be written; where others may write, too, a link of theirs would lead elsewhere."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)


@contextmanager
def _guarded(path: str) -> Iterator[None]:
    """Be the only process that looks at a pointer and writes it; the look takes moments."""
    try:
        guard = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except PermissionError:
        # Another user's, who lets nobody else lock it: what is left is that a pointer takes its place at once.
        yield
        return
    try:
        _lock(guard, path)
        yield
    finally:
        os.close(guard)


def _lock(guard: int, path: str) -> None:
    import fcntl

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.lockf(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > until:
                raise CookRefusedError(
                    f'another process has been looking at "{path}" for {_PATIENCE:.0f} s; nothing was run\n'
                    "    try again; where file locks hang, the file server's lock service does"
                ) from None
            time.sleep(0.02)
        except OSError:
            # No file locks here at all: what is left is that a pointer takes its place at once or not at all.
            return
        else:
            return
