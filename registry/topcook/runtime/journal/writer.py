"""Writing a journal: what happened in a batch and what is about to be handed over, in one transaction."""

from __future__ import annotations

import array
import json
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from topcook.contract.secrets import redact
from topcook.errors import RecorderError
from topcook.model.notification import Kind
from topcook.model.states import FINAL, WorkItemState
from topcook.runtime.generation import GenerationResult
from topcook.runtime.inbox import Report, UrisTold
from topcook.runtime.journal.facts import Fact
from topcook.runtime.journal.reported import report_to_text
from topcook.runtime.journal.schema import create
from topcook.runtime.journal.tables import Table
from topcook.runtime.journal.values import attributes_to_text, encode, files_to_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from topcook.machine.events import Event
    from topcook.machine.items import Change
    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.workitem import Attempt, WorkItem
    from topcook.runtime.link import Message
    from topcook.runtime.recorder import HandOverNote

_SCHEDULED = int(WorkItemState.Scheduled)
_AT_WORK = frozenset({WorkItemState.Scheduled, WorkItemState.Cooking})
_GIVEN_UP = frozenset({WorkItemState.Uncooked, WorkItemState.CookedCancel})
_GIVES = frozenset({Kind.OUTPUTS, Kind.ATTRIBUTE, Kind.INVALIDATE_CACHE, Kind.GIVEN})


class _Told:
    """What the journal has of an item that has not ended: its outputs and attributes."""

    __slots__ = ("attributes", "outputs")

    def __init__(self) -> None:
        self.outputs: list[File] = []
        self.attributes: dict[str, Attribute] = {}


class Journal:
    """A ``Recorder`` on disk.

    One thread at a time. Whatever cannot be written raises ``RecorderError``, and then nothing of it is kept.
    """

    def __init__(
        self,
        path: str,
        cook_id: str,
        network: str,
        *,
        find: Callable[[int | str], WorkItem | None],
        facts: dict[str, Any] | None = None,
        power: bool = False,
        network_disk: bool = False,
    ) -> None:
        """Make the file, or go on in the one of a cook that is resumed: a session begins.

        ``find`` gives the item that a report is about. ``facts`` is plain data about the session that ``Past`` gives
        back. ``power``: every commit survives the plug, too. ``network_disk``: other machines write to it as well.
        """
        self.path = path
        self.power = power
        self._connection = create(path, power=power, network_disk=network_disk)
        self._find = find
        self._broken = self._closed = False
        self._names: dict[str, int] = {}
        self._told: dict[int, _Told] = {}
        #: How many earlier attempts of an item are written down, by id.
        self._earlier: dict[int, int] = {}
        #: Ids of items that were at work in this session; kept where there was one before it.
        self._begun: set[int] = set()
        self._sessions: list[tuple[str, int]] = []
        self._fresh_names = Table("name", "number, text")
        self._items = Table(
            "item", "id, session, key, node, place, name, label, scheduler, frame, batch, needs", replace=True
        )
        # Invariant: of the steps of one item in one batch the hand-over is the last.
        self._moved = Table("step", "item, attempt, state, at")
        self._ended = Table("step", "item, attempt, state, at, started, duration, exit")
        self._handed = Table("step", "item, attempt, state, at, scheduler, token")
        self._facts = Table("fact", "item, kind, body")
        self._messages = Table("message", "at, level, source, text")
        tables = (self._fresh_names, self._items, self._moved, self._ended, self._handed, self._facts, self._messages)
        self._tables = tables
        try:
            self._names = {text: number for number, text in self._connection.execute("SELECT number, text FROM name")}
            self.session = self._begin(cook_id, network, facts or {})
        except sqlite3.Error as error:
            self._connection.close()
            raise RecorderError(f'the journal "{path}" cannot be written: {error}') from error

    def _begin(self, cook_id: str, network: str, facts: dict[str, Any]) -> int:
        row = (cook_id, network, json.dumps(facts), time.time())
        made = self._connection.execute("INSERT INTO session (cook, network, facts, started) VALUES (?, ?, ?, ?)", row)
        assert made.lastrowid is not None  # noqa: S101 - an insert has one
        return made.lastrowid

    # ------------------------------------------------------------------ the Recorder

    def begin(self, items: Iterable[WorkItem]) -> None:
        """Items that are there before the cook."""
        self._join(items)

    def commit(self, events: Sequence[Event], changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        """Keep a batch, what it changed, and what is handed over because of it; returns once that is kept."""
        for event in events:
            kind = type(event)
            if kind is Report:
                self._read_report(event)
            elif kind is GenerationResult:
                self._join(event.items)
            elif kind is UrisTold:
                for item, log, page in event.told:
                    self._facts.add((item.id, Fact.URIS, encode([redact(log), redact(page)])))
        if changes or hand_overs:
            self._read_changes(changes, hand_overs)
        self._write()

    def keep_fingerprint(self, item: WorkItem, text: str) -> None:
        """Keep with the next commit what an item would do."""
        self._facts.add((item.id, Fact.FINGERPRINT, text))

    def keep_facts(self, facts: dict[str, Any]) -> None:
        """Keep with the next commit what is known of the session, in place of what was before."""
        self._sessions.append((json.dumps(facts), self.session))

    def tell(self, message: Message) -> None:
        """Keep with the next commit what people were told."""
        self._messages.add((time.time(), message.level, message.source, message.text))

    def close(self, outcome: str = "") -> bool:
        """The cook is over, as ``outcome`` says; without one, or after a failure, it is left as by a crash.

        Answers whether all of it is kept. Again a no-op.
        """
        if self._closed:
            return not self._broken
        self._closed = True
        try:
            if outcome and not self._broken:
                self._write()
                self._connection.execute(
                    "UPDATE session SET outcome = ?, finished = ? WHERE number = ?",
                    (outcome, time.time(), self.session),
                )
        except sqlite3.Error as error:
            raise RecorderError(f'the end of the cook could not be written to "{self.path}": {error}') from error
        finally:
            self._connection.close()
        return bool(outcome) and not self._broken

    # ------------------------------------------------------------------ gathering

    def _number(self, text: str) -> int:
        number = self._names.get(text)
        if number is None:
            number = self._names[text] = len(self._names) + 1
            self._fresh_names.add((number, text))
        return number

    def _join(self, items: Iterable[WorkItem]) -> None:
        session, number = self.session, self._number
        for item in items:
            needs = item.dependencies if item.batch is None else item.needs
            batch = item.batch_parent
            self._items.add(
                (
                    item.id,
                    session,
                    item.key or item.name,
                    number(item.node.name),
                    item.index,
                    item.custom_name,
                    item.label or None,
                    number(item.scheduler) if item.scheduler else None,
                    item.frame,
                    batch.id if batch is not None else None,
                    # Nearly all have one or none.
                    None
                    if not needs
                    else needs[0].id
                    if len(needs) == 1
                    else array.array("q", [each.id for each in needs]).tobytes(),
                )
            )

    def _read_report(self, report: Report) -> None:
        for said in report.delegated:
            item = self._find(said.item)
            if item is not None:
                self._facts.add((item.id, Fact.REPORTED, report_to_text(said, item.attempt)))
        for said in report.notifications:
            if said.kind is Kind.PASSED:
                passed = self._find(said.item)
                if passed is not None:
                    self._facts.add((passed.id, Fact.PASSED, ""))
                continue
            if not said.job_id and said.kind not in _GIVES:
                continue
            whole = self._find(said.item)
            item = whole.part(said.index) if whole is not None else None
            if whole is None or item is None:
                continue
            if said.job_id and (said.attempt is None or said.attempt >= whole.attempt):
                self._facts.add((item.id, Fact.JOB, redact(said.job_id)))
            if said.kind in _GIVES:
                self._tell_given(item, self._told.setdefault(item.id, _Told()))

    def _read_changes(self, changes: Sequence[Change], hand_overs: Sequence[HandOverNote]) -> None:
        notes = list(hand_overs)
        given = {note.item.id for note in notes}
        if self.session > 1:
            changes = self._of_this_session(changes, given)
        # Of several steps in one batch the last is what is true once the batch is kept.
        for item, before, state, at in {change[0]: change for change in changes}.values():
            run = item.run
            if run is not None and run.attempts:
                self._tell_earlier(item, run.attempts)
            if state is WorkItemState.Scheduled and item.id in given:
                continue
            if state is WorkItemState.Waiting and before is WorkItemState.Uncooked:
                # So it is from the beginning.
                continue
            if state not in FINAL or run is None:
                self._moved.add((item.id, item.attempt, int(state), at))
                if state in FINAL:
                    self._tell_end(item)
                continue
            self._ended.add((item.id, item.attempt, int(state), at, run.started, run.duration, run.exit_status))
            self._tell_end(item)
        for note in notes:
            item = note.item
            queued = item.run.queued if item.run is not None else None
            number = self._number(note.scheduler)
            if note.attempt > 1:
                # What an older attempt's job is called must not be taken for the name of this one's.
                self._facts.add((item.id, Fact.JOB, ""))
            self._handed.add((item.id, note.attempt, _SCHEDULED, queued or 0.0, number, note.token))

    def _of_this_session(self, changes: Sequence[Change], given: set[int]) -> list[Change]:
        """Leave out that items were canceled before anything began: what an earlier session knew of them holds."""
        self._begun |= given
        self._begun.update(change[0].id for change in changes if change[2] in _AT_WORK)
        return [change for change in changes if change[2] not in _GIVEN_UP or change[0].id in self._begun]

    def _tell_end(self, item: WorkItem) -> None:
        told = self._told.pop(item.id, None)
        if item.outputs or item.attributes or told is not None or item.attempt > 1:
            self._tell_given(item, told or _Told())
        if item.run is not None and item.run.messages:
            self._facts.add((item.id, Fact.MESSAGES, encode([redact(text) for text in item.run.messages])))

    def _tell_earlier(self, item: WorkItem, attempts: list[Attempt]) -> None:
        """Write the attempts that were followed by another one."""
        known = self._earlier.get(item.id, 0)
        for each in attempts[known:]:
            times = (each.queued, each.started, each.finished, each.duration, each.exit_status)
            row = [each.number, each.scheduler, *times, [redact(text) for text in each.messages]]
            self._facts.add((item.id, Fact.EARLIER, encode(row)))
        self._earlier[item.id] = len(attempts)

    def _tell_given(self, item: WorkItem, told: _Told) -> None:
        """Write what an item gave and the journal does not have yet."""
        outputs = item.outputs or []
        before = told.outputs
        if len(outputs) >= len(before) > 0 and outputs[len(before) - 1] is before[-1] and outputs[0] is before[0]:
            more = outputs[len(before) :]
            if more:
                self._facts.add((item.id, Fact.MORE_OUTPUTS, encode(files_to_rows(more))))
        elif outputs or before or item.attempt > 1:
            # What an attempt before it gave does not count any more.
            self._facts.add((item.id, Fact.OUTPUTS, encode(files_to_rows(outputs))))
        told.outputs = list(outputs)
        attributes = item.attributes
        if attributes:
            # A copy in one step: what cooks in this process may be writing.
            now = dict(attributes)
            new = {name: each for name, each in now.items() if told.attributes.get(name) is not each}
            if new:
                self._facts.add((item.id, Fact.ATTRIBUTES, attributes_to_text(new)))
            told.attributes = now

    # ------------------------------------------------------------------ writing

    def _write(self) -> None:
        connection = self._connection
        tables = [table for table in self._tables if table.rows]
        if not tables and not self._sessions:
            return
        try:
            try:
                self._write_all(tables)
            except (UnicodeEncodeError, OverflowError):
                # Not in each batch: hardly any job tells the like.
                connection.execute("ROLLBACK")
                for table in tables:
                    table.spell_out()
                self._write_all(tables)
        except sqlite3.Error as error:
            self._broken = True
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise RecorderError(f'the journal "{self.path}" cannot be written: {error}{_room(self.path)}') from error
        self._sessions.clear()
        for table in tables:
            table.rows.clear()

    def _write_all(self, tables: Sequence[Table]) -> None:
        connection = self._connection
        connection.execute("BEGIN")
        if self._sessions:
            connection.executemany("UPDATE session SET facts = ? WHERE number = ?", self._sessions)
        for table in tables:
            table.write(connection)
        connection.execute("COMMIT")


def _room(path: str) -> str:
    """Words about a disk that is full."""
    try:
        left = os.statvfs(os.path.dirname(path))
    except OSError:
        return ""
    return f" ({left.f_bavail * left.f_frsize} bytes are free)" if left.f_bavail * left.f_frsize < 1 << 20 else ""
