"""A cook that is kept: its lock, its journal, and the journals of those that came before."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from topcook.contract.secrets import redact, redacted
from topcook.errors import CookRefusedError, RecorderError
from topcook.lean import NamedTuple
from topcook.runtime.journal.identity import identity_of
from topcook.runtime.journal.lock import KEPT, CookLock
from topcook.runtime.journal.writer import Journal
from topcook.runtime.recorder import MemoryRecorder
from topcook.runtime.statedir import (
    JOURNAL,
    SECRET,
    cook_directory,
    forget_journal,
    has_keeper_files,
    journal_of,
    note_journal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topcook.machine.events import Event
    from topcook.machine.items import Change
    from topcook.runtime.cook import Cook
    from topcook.runtime.graph import Graph
    from topcook.runtime.recorder import HandOverNote, Recorder

__all__ = ["How", "KeptCook", "keep_cook"]


class How(NamedTuple):
    """How a cook is kept: in which directory its journal lies (empty: the user's own), and what that survives.

    ``journal`` False: not at all. ``power``: it survives the plug, not only the process. ``arguments`` are those of the
    command line that chose what is cooked where: they are kept for who goes on with it.
    """

    directory: str = ""
    journal: bool = True
    power: bool = False
    arguments: tuple[str, ...] = ()


class KeptCook:
    """A cook about to begin: its id, what it is recorded by, and the journals of the cooks before, newest first."""

    __slots__ = ("before", "cook_id", "identity", "journal", "lock", "recorder", "told")

    def __init__(self, cook_id: str, lock: CookLock, recorder: Recorder, journal: str, told: list[str]) -> None:
        """Know what was begun; ``told`` is for people."""
        self.cook_id = cook_id
        self.identity = lock.identity
        self.recorder = recorder
        self.journal = journal
        self.before = [each["journal"] for each in lock.before if os.path.isfile(each["journal"])]
        self.told = told
        self.lock = lock

    def watch(self, cook: Cook) -> None:
        """Tell the cook what was found, and end it should another one take its place."""
        for text in self.told:
            cook.link.message("warning", "journal", text)
        self.lock.lost = cook.cancel
        cook.link.lasting = bool(self.journal)
        if isinstance(self.recorder, _Kept):
            self.recorder.describe(cook)


def keep_cook(graph: Graph, network_file: str, cook_id: str, how: How) -> KeptCook:
    """Begin to keep a cook; with the id of an earlier one that one's journal goes on.

    Raises ``CookRefusedError`` while the same cook runs, or when its journal cannot be written.
    """
    identity = identity_of(graph, network_file)
    known = journal_of(cook_id)
    path = (known or _place(cook_id, how)) if how.journal else ""
    lock = CookLock(identity, cook_id, path)
    told = []
    try:
        lock.take()
    except OSError as error:
        # Where nobody can write, nobody cooks into each other's files.
        told.append(f'no lock against a second cook in "{os.path.dirname(lock.path)}": {error.strerror or error}')
    if lock.told:
        told.append(lock.told)
    try:
        told += _end_left(lock)
        recorder = _Kept(path, graph, cook_id, how, lock) if how.journal else _Unkept(lock)
    except BaseException as error:
        lock.release("refused")
        if not isinstance(error, RecorderError):
            raise
        if not known:
            forget_journal(cook_id, path)
        raise CookRefusedError(str(error)) from error
    lock.journal_made = how.journal
    return KeptCook(cook_id, lock, recorder, path, told)


def _end_left(lock: CookLock) -> list[str]:
    """End what dead cooks of this identity left running here, whose items this one may begin; what to tell people."""
    here = os.uname().nodename
    names = [lock.died, *(each["cook"] for each in lock.before if each.get("host") == here)]
    left = [name for name in dict.fromkeys(names) if has_keeper_files(name)]
    if not left:
        return []
    from topcook.runtime.journal.dead import end_dead_before

    return end_dead_before(left)


def _place(cook_id: str, how: How) -> str:
    if not how.directory:
        return os.path.join(cook_directory(cook_id), JOURNAL)
    path = os.path.join(os.path.abspath(how.directory), f"{cook_id}.sqlite")
    note_journal(cook_id, path)
    return path


def _on_network(path: str) -> bool:
    from topcook.factory.filesystems import file_system

    return file_system(os.path.dirname(path)).network


class _Kept(Journal):
    """A journal that holds its cook's lock."""

    def __init__(self, path: str, graph: Graph, cook_id: str, how: How, lock: CookLock) -> None:
        self._lock = lock
        self._cook: Cook | None = None
        self._described = -1
        self._facts_of_session: dict[str, Any] = {
            "name": graph.network.name,
            "scheduler": lock.identity.scheduler,
            "folder": lock.identity.folder,
            "durability": "power" if how.power else "process",
        }
        self._arguments = how.arguments
        super().__init__(
            path,
            cook_id,
            lock.identity.network,
            find=graph.item,
            facts=self._facts_of_session | self._given(),
            power=how.power,
            network_disk=_on_network(path),
        )
        graph.secret = _kept_secret(cook_id, graph.secret)

    def describe(self, cook: Cook) -> None:
        """Keep what ``cook`` uses, too, each time that another scheduler takes part."""
        self._cook = cook

    def commit(self, events: Sequence[Event], changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        """As every journal does it."""
        cook = self._cook
        if cook is not None and hand_overs and len(cook.state.schedulers) != self._described:
            self._described = len(cook.state.schedulers)
            self._keep_uses(cook)
        super().commit(events, changes, hand_overs)

    def _keep_uses(self, cook: Cook, *, let_go: bool = False) -> None:
        from topcook.runtime.report import scheduler_records
        from topcook.runtime.summary import left_with

        facts: dict[str, Any] = {"schedulers": scheduler_records(cook), "types": cook.used.rows()}
        if let_go:
            # Where jobs of farms write their ends.
            hosts = {name: cook.graph.host(name) for name in left_with(cook)}
            facts["left"] = {name: host.directories.temp_dir(local=True) for name, host in hosts.items()}
        self.keep_facts(self._facts_of_session | self._given() | redacted(facts))

    def _given(self) -> dict[str, Any]:
        """The arguments, and the places of those that are not whole; the more secrets were read, the more are known."""
        told = [redact(each) for each in self._arguments]
        return {
            "arguments": told,
            "masked": [place for place, each in enumerate(self._arguments) if told[place] != each],
        }

    def close(self, outcome: str = "") -> bool:
        """The cook is over: the next one of its identity may begin."""
        if self._cook is not None and outcome not in {"", "refused"}:
            # Errors and warnings of schedulers are among it, and more types than were known at the first hand-over.
            self._keep_uses(self._cook, let_go=outcome == "detached")
        try:
            return super().close(outcome)
        finally:
            if outcome == "refused" and self.session == 1:
                forget_journal(self._lock.cook_id, self.path)
            elif outcome:
                _drop_older(self._lock.before, os.path.dirname(self.path))
            self._lock.release(outcome)


def _kept_secret(cook_id: str, fresh: str) -> str:
    """What the jobs of a cook say to its result server: that of its first session in all of them."""
    path = os.path.join(cook_directory(cook_id), SECRET)
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "x", encoding="ascii", opener=_for_owner) as stream:
            stream.write(fresh)
        return fresh
    with suppress(OSError, UnicodeError), open(path, encoding="ascii") as stream:
        return stream.read() or fresh
    return fresh


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Unkept(MemoryRecorder):
    """Nothing but the lock."""

    def __init__(self, lock: CookLock) -> None:
        super().__init__()
        self._lock = lock

    def close(self, outcome: str = "") -> bool:
        """The cook is over: the next one of its identity may begin."""
        self._lock.release(outcome)
        return True


def _drop_older(before: list[dict[str, str]], folder: str) -> None:
    """Remove the journals of an identity that nobody will ask for; ``folder`` is where this cook has its own."""
    here = [each for each in before if os.path.isfile(each["journal"])]
    for each in here[KEPT - 1 :]:
        path = each["journal"]
        if path != journal_of(each["cook"]) and path != os.path.join(folder, f"{each['cook']}.sqlite"):
            # Whoever may write into the working directory may have named any file.
            continue
        # A keeper's files are there as long as jobs of the cook may be.
        if not os.path.exists(os.path.join(cook_directory(each["cook"]), "keeper.json")):
            forget_journal(each["cook"], each["journal"])
