"""Reading a journal: what is known of the items of a cook that ended, however it ended."""

from __future__ import annotations

import array
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from topcook.errors import RecorderError
from topcook.model.attributes import Attribute
from topcook.model.files import File
from topcook.model.states import FINAL, WorkItemState
from topcook.model.workitem import Attempt, Run
from topcook.runtime.journal.facts import Fact
from topcook.runtime.journal.schema import open_to_read
from topcook.runtime.journal.values import attributes_from_rows, files_from_rows

_SCHEDULED = int(WorkItemState.Scheduled)
_STATES = {int(state): state for state in WorkItemState}
_FINAL = frozenset(map(int, FINAL))


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
    attempts that were followed by another one.
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
    log_uri: str = ""
    status_uri: str = ""

    @property
    def in_flight(self) -> bool:
        """Whether it was handed over and nobody said how it ended."""
        return self.state in {WorkItemState.Scheduled, WorkItemState.Cooking}


class _Known:
    """The rows of one item, as they are read."""

    __slots__ = ("facts", "given", "item", "last")

    def __init__(self, item: tuple[Any, ...]) -> None:
        self.item = item
        self.last: tuple[Any, ...] | None = None
        self.given: tuple[Any, ...] | None = None
        self.facts: list[tuple[int, str]] | None = None


class Past:
    """What a journal knows, read once; items are decoded when asked for."""

    def __init__(self, path: str) -> None:
        """Read the journal; raises ``RecorderError`` when it is not there, or cannot be read."""
        self.path = path
        connection = open_to_read(path)
        try:
            self._read(connection)
        except (sqlite3.Error, ValueError) as error:
            raise RecorderError(f'the journal "{path}" cannot be read: {error}') from error
        finally:
            connection.close()

    @classmethod
    def open(cls, path: str) -> Past:
        """The past in the journal at ``path``; raises ``RecorderError``."""
        return cls(path)

    def _read(self, connection: sqlite3.Connection) -> None:
        # One moment of a journal that may still be written to.
        connection.execute("BEGIN")
        rows = connection.execute("SELECT number, cook, network, facts, started, finished, outcome FROM session")
        self.sessions = [
            Session(number, cook, network, json.loads(facts), started, finished, outcome or "")
            for number, cook, network, facts, started, finished, outcome in rows
        ]
        self._names: dict[int | None, str] = dict(connection.execute("SELECT number, text FROM name"))
        known = {
            row[0]: _Known(row)
            for row in connection.execute(
                "SELECT id, session, key, node, place, name, label, scheduler, frame, batch, needs FROM item"
            )
        }
        steps = connection.execute(
            "SELECT item, attempt, state, at, started, duration, exit, scheduler, token FROM step ORDER BY number"
        )
        for step in steps:
            each = known.get(step[0])
            if each is not None:
                each.last = step
                if step[8] is not None:
                    each.given = step
        for number, kind, body in connection.execute("SELECT item, kind, body FROM fact ORDER BY number"):
            each = known.get(number)
            if each is not None:
                each.facts = each.facts or []
                each.facts.append((kind, body))
        self.messages: list[tuple[float, str, str, str]] = connection.execute(
            "SELECT at, level, source, text FROM message ORDER BY number"
        ).fetchall()
        self._by_id = known
        self._by_key = {each.item[2]: each for each in known.values()}

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
        return len(self._by_id)

    def keys(self) -> Iterator[str]:
        """The keys of all items, by id."""
        return iter(self._by_key)

    def ids(self) -> dict[str, int]:
        """The ids of all items by key: a resumed cook gives the same ones again."""
        return {key: each.item[0] for key, each in self._by_key.items()}

    def find(self, key: str) -> PastItem | None:
        """The item with this key."""
        known = self._by_key.get(key)
        return self._decoded(known) if known is not None else None

    def items(self) -> Iterator[PastItem]:
        """Every item, by id."""
        return (self._decoded(self._by_id[number]) for number in sorted(self._by_id))

    def in_flight(self) -> list[PastItem]:
        """The items that were handed over and of which nobody said how they ended."""
        waiting = (each for each in self._by_id.values() if each.last is not None and each.last[2] not in _FINAL)
        return [item for item in map(self._decoded, waiting) if item.in_flight]

    def _decoded(self, known: _Known) -> PastItem:
        number, session, key, node, place, name, label, scheduler, frame, batch, needs = known.item
        node = self._names[node]
        item = PastItem(
            number,
            key,
            node,
            place,
            name or f"{node}_{number}",
            label or "",
            self._names.get(scheduler, ""),
            frame,
            batch,
            _ids(needs),
            session,
        )
        if known.given is not None:
            _, item.attempt, _, item.queued, _, _, _, scheduler, item.token = known.given
            item.scheduler = self._names.get(scheduler, "")
        if known.last is not None:
            _read_last(item, known.last)
        for kind, body in known.facts or ():
            _read_fact(item, kind, body)
        return item


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
            item.fingerprint = body


def _attempt(number: int, scheduler: str, *told: Any) -> Attempt:
    run = Run()
    run.queued, run.started, run.finished, run.duration, run.exit_status, run.messages = told
    return Attempt(number, scheduler, run)
