"""Reading a journal: what is known of the items of a cook that ended, however it ended."""

from __future__ import annotations

import array
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from topcook.errors import RecorderError
from topcook.factory.filesystems import file_system
from topcook.lean import dataclass, field
from topcook.model.attributes import Attribute
from topcook.model.files import File
from topcook.model.notification import Notification
from topcook.model.states import FINAL, WorkItemState
from topcook.model.workitem import Attempt, Run
from topcook.runtime.journal.facts import Fact
from topcook.runtime.journal.reported import report_from_text
from topcook.runtime.journal.schema import open_to_read
from topcook.runtime.journal.values import attributes_from_rows, files_from_rows

_STATES = {int(state): state for state in WorkItemState}
_FINAL = frozenset(map(int, FINAL))
_ITEM = "SELECT id, session, key, node, place, name, label, scheduler, frame, batch, needs FROM item WHERE id IN "
_STEP = "SELECT number, attempt, state, at, started, duration, exit, scheduler, token FROM step WHERE number IN "
_FACT = "SELECT number, kind, body FROM fact WHERE number IN "
#: How many rows are asked for in one question.
_AT_ONCE = 500
#: How many numbers a journal may leave out for each row that it has: what is further apart was not counted by us.
_SPARSE = 1000


@dataclass(slots=True)
class Session:
    """One run of a cook; a cook that is resumed has several. ``outcome`` is empty when it was killed."""

    number: int
    cook: str
    network: str
    facts: dict[str, Any]
    started: float
    finished: float | None
    outcome: str


@dataclass(slots=True)
class PastItem:
    """What a journal knows of an item.

    ``state`` is its last one; ``attempt``, ``token`` and ``scheduler`` are those of the last hand-over, which has no
    outcome where ``in_flight``. ``lost`` names attributes whose values could not be written down. ``earlier`` are the
    attempts that were followed by another one, those from the place ``anew`` on since it is what ``fingerprint`` says.
    """

    id: int
    key: str
    node: str
    index: int
    name: str
    label: str
    scheduler: str
    frame: float | None
    batch: int | None
    needs: list[int]
    session: int
    state: WorkItemState = WorkItemState.Waiting
    attempt: int = 0
    token: str = ""
    job: str = ""
    fingerprint: str = ""
    queued: float | None = None
    started: float | None = None
    finished: float | None = None
    duration: float | None = None
    exit_status: int | None = None
    outputs: list[File] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    earlier: list[Attempt] = field(default_factory=list)
    anew: int = 0
    log_uri: str = ""
    status_uri: str = ""
    #: What its job was answered for and its scheduler's own event methods have not passed on, in order.
    reported: list[Notification | None] = field(default_factory=list)

    @property
    def in_flight(self) -> bool:
        """Whether it was handed over and nobody said how it ended."""
        return self.state in {WorkItemState.Scheduled, WorkItemState.Cooking}

    @property
    def has_failed(self) -> bool:
        """Whether it failed for good."""
        return self.state is WorkItemState.CookedFail


class Past:
    """What a journal knew at the moment when it was opened; each item is read when it is asked for.

    Kept in memory are keys, and where the rows of each item are. Any thread may ask. ``close`` it, or use it in a
    ``with`` statement: the file stays open until then.
    """

    def __init__(self, path: str) -> None:
        """Open the journal; raises ``RecorderError`` when it is not there, or cannot be read."""
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_to_read(path)
        try:
            if file_system(os.path.dirname(path)).network:
                # A cook that goes on in it keeps everybody else out for as long as it takes.
                self._connection = _copied(self._connection)
            self._read(self._connection)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            self._connection.close()
            raise RecorderError(f'the journal "{path}" cannot be read: {error}') from error
        except RecorderError:
            self._connection.close()
            raise

    @classmethod
    def open(cls, path: str) -> Past:
        """The past in the journal at ``path``; raises ``RecorderError``."""
        return cls(path)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """No item is asked for any more."""
        with self._lock:
            self._connection.close()

    def _read(self, connection: sqlite3.Connection) -> None:
        # One moment of a journal that may still be written to; rows are only ever added to it.
        connection.execute("BEGIN")
        rows = connection.execute("SELECT number, cook, network, facts, started, finished, outcome FROM session")
        self.sessions = [
            Session(number, cook, network, json.loads(facts), started, finished, outcome or "")
            for number, cook, network, facts, started, finished, outcome in rows
        ]
        self._names: dict[int | None, str] = dict(connection.execute("SELECT number, text FROM name"))
        self._ids: dict[str, int] = dict(connection.execute("SELECT key, id FROM item ORDER BY id"))
        first, last, count = connection.execute("SELECT min(id), max(id), count(*) FROM item").fetchone()
        self._first: int = first or 0
        self._count: int = count
        room = (last - first + 1) if count else 0
        if room > _SPARSE * count + _SPARSE:
            raise RecorderError(f'the journal "{self.path}" is damaged: its items have numbers from {first} to {last}')
        self._read_steps(connection, room)
        self._read_facts(connection, room)
        self.messages: list[tuple[float, str, str, str]] = connection.execute(
            "SELECT at, level, source, text FROM message ORDER BY number"
        ).fetchall()
        connection.execute("COMMIT")

    def _read_steps(self, connection: sqlite3.Connection, room: int) -> None:
        """Find the last step and the last hand-over of each item."""
        self._last, self._given = array.array("q", bytes(8 * room)), array.array("q", bytes(8 * room))
        self._open = bytearray(room)
        last, given, still, first = self._last, self._given, self._open, self._first
        rows = connection.execute("SELECT number, item, state, token IS NOT NULL FROM step ORDER BY number")
        for number, item, state, handed_over in rows:
            place = item - first
            if 0 <= place < room:
                last[place] = number
                still[place] = state not in _FINAL
                if handed_over:
                    given[place] = number

    def _read_facts(self, connection: sqlite3.Connection, room: int) -> None:
        """Find the last fact of each item, and for each fact the one of its item before it."""
        (most,) = connection.execute("SELECT max(number) FROM fact").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM fact").fetchone()
        if (most or 0) > _SPARSE * count + _SPARSE:
            raise RecorderError(
                f'the journal "{self.path}" is damaged: it has {count} facts, with numbers up to {most}'
            )
        self._fact, self._before = array.array("q", bytes(8 * room)), array.array("q", bytes(8 * ((most or 0) + 1)))
        fact, before, first = self._fact, self._before, self._first
        for number, item in connection.execute("SELECT number, item FROM fact ORDER BY number"):
            place = item - first
            if 0 <= place < room:
                before[number] = fact[place]
                fact[place] = number

    # ------------------------------------------------------------------ the cook

    @property
    def cook_id(self) -> str:
        """The cook's id."""
        return self.sessions[-1].cook if self.sessions else ""

    @property
    def outcome(self) -> str:
        """How its last session ended; empty when it was killed, or still runs."""
        return self.sessions[-1].outcome if self.sessions else ""

    # ------------------------------------------------------------------ its items

    def __len__(self) -> int:
        """How many items are known."""
        return self._count

    def keys(self) -> Iterator[str]:
        """The keys of all items, by id."""
        return iter(self._ids)

    def ids(self) -> Mapping[str, int]:
        """The ids of all items by key: a resumed cook gives the same ones again."""
        return self._ids

    def find(self, key: str) -> PastItem | None:
        """The item with this key; raises ``RecorderError`` when it cannot be read any more."""
        return self.find_all([key])[0]

    def find_all(self, keys: Sequence[str]) -> list[PastItem | None]:
        """The items with these keys, which costs less than asking for one after the other."""
        numbers = [self._ids.get(key) for key in keys]
        found = {item.id: item for item in self._items([number for number in numbers if number is not None])}
        return [found.get(number) if number is not None else None for number in numbers]

    def is_open(self, key: str) -> bool:
        """Whether an item was handed over, and what became of that may not be known."""
        number = self._ids.get(key)
        place = number - self._first if number is not None else -1
        return 0 <= place < len(self._open) and bool(self._open[place] and self._given[place])

    def items(self) -> Iterator[PastItem]:
        """Every item, by id."""
        with self._lock:
            rows = self._connection.execute("SELECT id FROM item ORDER BY id").fetchall()
        # One that came after this was opened is no part of the past.
        room = range(self._first, self._first + len(self._last))
        return self._items([number for (number,) in rows if number in room])

    def in_flight(self) -> list[PastItem]:
        """The items that were handed over and of which nobody said how they ended."""
        waiting = [place + self._first for place, still in enumerate(self._open) if still]
        return [item for item in self._items(waiting) if item.in_flight]

    def _items(self, numbers: Sequence[int]) -> Iterator[PastItem]:
        for start in range(0, len(numbers), _AT_ONCE):
            yield from self._some(numbers[start : start + _AT_ONCE])

    def _some(self, numbers: Sequence[int]) -> list[PastItem]:
        facts = {number: self._facts_of(number) for number in numbers}
        last = {number: self._last[number - self._first] for number in numbers}
        given = {number: self._given[number - self._first] for number in numbers}
        try:
            with self._lock:
                rows = self._rows(_ITEM, numbers)
                steps = self._rows(_STEP, [*filter(None, {*last.values(), *given.values()})])
                bodies = self._rows(_FACT, [each for some in facts.values() for each in some])
            return [
                self._decoded(
                    rows[number], steps.get(last[number]), steps.get(given[number]), map(bodies.get, facts[number])
                )
                for number in numbers
                if number in rows
            ]
        except (sqlite3.Error, ValueError) as error:
            raise RecorderError(f'the journal "{self.path}" cannot be read: {error}') from error

    def _facts_of(self, number: int) -> list[int]:
        told: list[int] = []
        fact = self._fact[number - self._first]
        while fact:
            told.append(fact)
            fact = self._before[fact]
        return told[::-1]

    def _rows(self, question: str, numbers: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Rows of a table by their numbers."""
        found: dict[int, tuple[Any, ...]] = {}
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            marks = f"({'?,' * (len(some) - 1)}?)"
            found |= {row[0]: row for row in self._connection.execute(question + marks, some)}
        return found

    def _decoded(
        self,
        row: tuple[Any, ...],
        last: tuple[Any, ...] | None,
        given: tuple[Any, ...] | None,
        facts: Iterable[tuple[Any, ...] | None],
    ) -> PastItem:
        number, session, key, node, place, name, label, scheduler, frame, batch, needs = row
        node, told = self._names.get(node, ""), self._names.get(scheduler, "")
        own = name or f"{node}_{number}"
        item = PastItem(number, key, node, place, own, label or "", told, frame, batch, _ids(needs), session)
        if given is not None:
            _, item.attempt, _, item.queued, _, _, _, scheduler, item.token = given
            item.scheduler = self._names.get(scheduler, "")
        if last is not None:
            _read_last(item, last)
        for fact in facts:
            if fact is not None:
                _read_fact(item, *fact[1:])
        return item


def _copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """All of a journal in memory; the file is closed."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(copy)
    connection.close()
    return copy


def _ids(needs: Any) -> list[int]:
    if needs is None:
        return []
    if isinstance(needs, int):
        return [needs]
    found = array.array("q")
    found.frombytes(needs)
    return list(found)


def _read_last(item: PastItem, step: tuple[Any, ...]) -> None:
    _, attempt, state, at, started, duration, status, _, _ = step
    # An attempt that was given back used up no number.
    item.state, item.attempt = _STATES[state], attempt
    if state in _FINAL:
        item.finished, item.started, item.duration, item.exit_status = at, started, duration, status
    elif item.state is WorkItemState.Cooking:
        item.started = at


def _read_fact(item: PastItem, kind: int, body: str) -> None:
    match kind:
        case Fact.OUTPUTS:
            item.outputs = files_from_rows(json.loads(body))
        case Fact.MORE_OUTPUTS:
            item.outputs += files_from_rows(json.loads(body))
        case Fact.ATTRIBUTES:
            found, lost = attributes_from_rows(json.loads(body))
            item.attributes.update(found)
            item.lost = [name for name in item.lost if name not in found] + lost
        case Fact.MESSAGES:
            item.messages = json.loads(body)
        case Fact.EARLIER:
            item.earlier.append(_attempt(*json.loads(body)))
        case Fact.URIS:
            item.log_uri, item.status_uri = json.loads(body)
        case Fact.JOB:
            item.job = body
        case Fact.FINGERPRINT:
            item.fingerprint, item.anew = body, len(item.earlier)
        case Fact.REPORTED:
            item.reported.append(report_from_text(body, item.id))
        case Fact.PASSED:
            del item.reported[:1]


def _attempt(number: int, scheduler: str, *told: Any) -> Attempt:
    run = Run()
    run.queued, run.started, run.finished, run.duration, run.exit_status, run.messages = told
    return Attempt(number, scheduler, run)
