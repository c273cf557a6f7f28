"""The cooks of this user: those that run, those that died without an end, and the last ones that ended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from topcook.lean import dataclass, field
from topcook.runtime.alive import Process
from topcook.runtime.control.card import Card, read_card
from topcook.runtime.control.knock import NobodyAnswersError, ask
from topcook.runtime.journal.glance import Away, Glance, count_items, glance, jobs_away
from topcook.runtime.journal.identity import Identity
from topcook.runtime.journal.lock import pointer_lives, read_pointer
from topcook.runtime.keeper import launch
from topcook.runtime.keeper.leftover import left_jobs, left_tokens
from topcook.runtime.keeper.record import read_record
from topcook.runtime.statedir import cook_directory, cook_ids, journal_of

__all__ = ["DEAD", "DETACHED", "RUNNING", "Seen", "find_seen", "is_stopped", "left_away", "look_at", "seen_cooks"]

#: States of a cook that runs: ``stopped`` is one whose process is (Ctrl-Z), ``silent`` one that does not answer.
RUNNING = frozenset({"cooking", "paused", "detaching", "ending", "stopped", "silent"})
#: Of one whose process is gone without an end, and of one that was let go: jobs of it may be on farms.
DEAD, DETACHED = "dead", "detached"
#: Seconds for which a cook may keep a list of cooks waiting.
_PATIENCE = 2.0


@dataclass(slots=True)
class Seen:
    """A cook, as far as it can be seen from outside.

    ``state`` is one of ``RUNNING``, ``DEAD``, ``DETACHED``, or how it ended; of one that died, or was let go, and has a
    successor it is ``died``. ``network`` is the path of the file, empty where a program cooks. ``jobs`` are tokens of
    jobs that a dead one left running here, ``away`` jobs that it had on a farm, as one that was let go has. ``counts``
    are items by the name of their state, ``waits`` is by scheduler what its items wait for, ``kept`` what keeps a cook
    that is to be let go.
    """

    cook: str
    state: str
    network: str = ""
    name: str = ""
    folder: str = ""
    scheduler: str = ""
    started: float = 0.0
    finished: float | None = None
    process: Process | None = None
    counts: dict[str, int] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    away: list[Away] = field(default_factory=list)
    journal: str = ""
    card: Card | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.state in RUNNING

    @property
    def is_here(self) -> bool:
        """Whether it cooks, or cooked, on this machine."""
        return self.process is None or self.process.is_here()


def seen_cooks() -> Iterator[Seen]:
    """Every cook that has left something in this user's state directory, the latest first."""
    marked = left_jobs()
    for cook in cook_ids():
        seen = look_at(cook, marked)
        if seen is not None:
            yield seen


def find_seen(cook: str) -> Seen | None:
    """One of them."""
    return look_at(cook, left_jobs())


def look_at(cook: str, marked: dict[str, set[int]]) -> Seen | None:
    """What can be seen of a cook; ``marked`` is what ``left_jobs`` found. ``None`` when there is nothing to it."""
    card, journal = read_card(cook), journal_of(cook)
    known = glance(journal) if journal else None
    if known is None and card is None:
        return _of_a_program(cook, marked)
    seen = _identified(cook, card, known)
    seen.journal = journal
    pointer = Identity(seen.network, seen.scheduler, seen.folder).pointer
    said = read_pointer(pointer)
    newest = said is not None and said["cook"] == cook
    if known is not None and known.outcome and not _goes_on(card):
        seen.state, seen.finished = known.outcome, known.finished
        if known.outcome == DETACHED:
            _let_go(seen, known, said if newest else None)
        return seen
    if said is not None and newest:
        seen.process = Process.read(said["process"])
    if seen.process is None or not _lives(seen.process, pointer, said):
        return _dead(seen, marked, newest=newest or said is None)
    return _alive(seen)


def _identified(cook: str, card: Card | None, known: Glance | None) -> Seen:
    seen = Seen(cook, DEAD, card=card)
    if known is not None:
        facts = known.facts
        seen.network, seen.started = known.network, known.started
        seen.folder, seen.scheduler = str(facts.get("folder", "")), str(facts.get("scheduler", ""))
    elif card is not None:
        seen.network, seen.folder, seen.scheduler, seen.started = (
            card.network,
            card.folder,
            card.scheduler,
            card.started,
        )
    if card is not None:
        seen.process = card.process
    seen.name = os.path.basename(seen.network)
    return seen


def _goes_on(card: Card | None) -> bool:
    """Whether the process that left the card goes on although the journal has an end: the report is being written."""
    return card is not None and card.process.is_here() and card.process.is_alive()


def _lives(process: Process, pointer: str, said: dict[str, Any] | None) -> bool:
    if process.is_here() and not process.is_in_another_container():
        return process.is_alive()
    # Of another machine that shares the state directory: by its sign of life.
    return said is not None and pointer_lives(pointer, said)


def _alive(seen: Seen) -> Seen:
    process = seen.process
    assert process is not None  # noqa: S101 - who lives is known
    seen.state = "cooking"
    if not process.is_here() or process.is_in_another_container():
        return seen
    if is_stopped(process.pid):
        seen.state = "stopped"
    elif seen.card is not None and seen.card.socket and seen.card.process == process:
        try:
            said = ask(seen.card, {"ask": "status"}, _PATIENCE)
            seen.state, seen.counts = str(said.get("state", "silent")), dict(said.get("counts", {}))
            seen.waits, seen.kept = dict(said.get("waits", {})), list(said.get("kept", ()))
            return seen
        except NobodyAnswersError:
            seen.state = "silent" if process.is_alive() else "ending"
    seen.counts = count_items(seen.journal)
    return seen


def _dead(seen: Seen, marked: dict[str, set[int]], *, newest: bool) -> Seen | None:
    if seen.is_here:
        seen.jobs = left_tokens(cook_directory(seen.cook), seen.cook, marked)
    if newest:
        # Who followed it has asked for the others.
        seen.away = left_away(seen.cook, seen.journal)
    if not seen.journal and not seen.jobs:
        return None
    seen.state = DEAD if newest or seen.jobs else "died"
    seen.counts = count_items(seen.journal)
    return seen


def _let_go(seen: Seen, known: Glance, said: dict[str, Any] | None) -> None:
    """What has become of a cook that was let go; who followed it has asked for its jobs."""
    seen.counts = count_items(seen.journal)
    if said is None:
        seen.state = "died"
        return
    seen.process = Process.read(said["process"])
    seen.away = left_away(seen.cook, seen.journal)
    places = known.facts.get("left")
    if not isinstance(places, dict):
        return
    ended = {name: _ended_in(os.path.join(str(place), "ends")) for name, place in places.items()}
    for each in seen.away:
        each.ended = each.token.replace("/", "_") in ended.get(each.scheduler, ())


def _ended_in(folder: str) -> set[str]:
    """The tokens of jobs that have left an end there, as job wrappers name them: a file of each, or a line in one."""
    found: set[str] = set()
    with suppress(OSError):
        for name in os.listdir(folder):
            token, _, kind = name.rpartition(".")
            if kind == "json":
                found.add(token)
            elif kind == "ends":
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
                    found.update(_token_in(line) for line in stream)
    return found


def _token_in(line: str) -> str:
    """The token of an end; empty where a full disk has cut the line."""
    try:
        return str(json.loads(line.partition("\t")[2])["token"]).replace("/", "_")
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def left_away(cook: str, journal: str) -> list[Away]:
    """The jobs that a dead cook had on a farm: what became of them only its scheduler can tell."""
    away = jobs_away(journal)
    here = read_record(cook_directory(cook)) if away else {}
    return [each for each in away if each.token not in here]


def _of_a_program(cook: str, marked: dict[str, set[int]]) -> Seen | None:
    """A cook that keeps nothing but a keeper: by a ``GraphContext`` in somebody's own program."""
    try:
        with open(os.path.join(cook_directory(cook), launch.CARD_NAME), encoding="utf-8") as stream:
            process = Process.read(json.load(stream)["engine"])
        started = os.stat(os.path.join(cook_directory(cook), launch.CARD_NAME)).st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return None
    seen = Seen(cook, "cooking", started=started, process=process)
    if process.is_here() and process.is_alive():
        return seen
    return _dead(seen, marked, newest=True) if process.is_here() else None


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, as by Ctrl-Z."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] in b"Tt"
    except (OSError, IndexError):
        return False
