"""Reports, as they come from schedulers and jobs, become what the machine understands.

Runs on the cook thread. What a report says about attributes and files goes into the item's own store.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from topcook.contract.secrets import redact
from topcook.machine import events as ev
from topcook.machine.phases import HELD, Phase, Trigger
from topcook.model.attributes import BLANKS, AttribType, Attribute, is_deeper
from topcook.model.files import File, tag_for
from topcook.model.filestem import file_stem
from topcook.model.notification import Kind, Notification
from topcook.runtime.inbox import Report
from topcook.runtime.localize import localize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.inbox import Ran, Row
    from topcook.runtime.link import CookLink

TRIGGER_OF: dict[Kind, Trigger] = {
    Kind.STARTED: Trigger.START,
    Kind.SUCCEEDED: Trigger.SUCCEED,
    Kind.FAILED: Trigger.FAIL,
    Kind.CANCELED: Trigger.CANCEL,
}

#: Whose end is looked at; what is being taken up may have ended since.
_CHECKED = HELD | {Phase.CHECKING}
_NOT_GIVEN = frozenset({Phase.WAITING, Phase.READY})

#: How many reports about unknown items are told one by one.
UNKNOWN_TOLD = 5
#: How much of a report is quoted.
LONGEST_TOLD = 300
#: How long an attribute may grow by having one of its components set.
MOST_COMPONENTS = 1 << 20
#: How deep the dictionaries and lists in an attribute may be nested: whoever writes it down goes as deep, by recursion.
MOST_NESTED = 100
_NESTED = frozenset({AttribType.Dict, AttribType.PyObject})


class Reports:
    """Translates the reports of one cook."""

    def __init__(self, graph: Graph, link: CookLink) -> None:
        """Translate for ``graph`` by the clock of ``link``."""
        self._graph = graph
        self._link = link
        self.unknown = 0
        #: What was said of items that a scheduler was shown and not yet given, by item, in order.
        self._early: dict[int, list[Report]] = {}

    def read(self, report: Report) -> list[ev.Event]:
        """The machine's events of one report, in order; everything else it says is carried out here, before them."""
        events: list[ev.ItemEvent | ev.ItemsRan] = []
        rows: list[Row] = []
        for notification in report.notifications:
            row = self._row(notification) if report.done is None else None
            if row is not None:
                if not rows:
                    events.append(ev.ItemsRan(rows, exit_status=0))
                rows.append(row)
                continue
            single = self._read_one(notification, report)
            if single is not None:
                rows = []
                events.append(single)
        told: list[ev.Event] = []
        for event in events:
            told += [event] if isinstance(event, ev.ItemsRan) else self.checked(event)
        return told

    def _row(self, said: Notification) -> Row | None:
        """A start, or a good end, of which nothing else is to be thought: there are thousands of short jobs."""
        kind = said.kind
        if (kind is not Kind.STARTED and kind is not Kind.SUCCEEDED) or said.index != -1 or said.reason:
            return None
        item = self._graph.item(said.item)
        if item is None or not item.attempt or said.attempt != item.attempt:
            return None
        if item.batch is not None or item.batch_parent is not None:
            return None
        if kind is Kind.STARTED:
            return item, item.attempt, self._link.clock.at(said.at), None
        duration = said.payload[0] if said.payload else None
        if type(duration) is not float or not 0 < duration < math.inf or said.exit_status != 0 or item.expected_outputs:
            return None
        return item, item.attempt, self._link.clock.at(said.at), duration

    def _read_one(self, said: Notification, report: Report) -> ev.ItemEvent | None:
        item = self._graph.item(said.item)
        if said.kind is Kind.TAKEN_UP:
            self._read_again(item)
        elif item is not None and self._may_be_taken_up(item, said):
            # Once it is read again, it has come through.
            again = Report([said, Notification(Kind.PASSED, item.id)], report.scheduler)
            self._early.setdefault(item.id, []).append(again)
            report.delegated.append(said)
        elif item is not None and self._is_early(item, report.scheduler):
            self._early.setdefault(item.id, []).append(Report([said], report.scheduler))
        elif item is None or not item.attempt:
            self._unknown(said, report.scheduler)
        elif report.done is not None and self._delegated(item, said):
            report.delegated.append(said)
        else:
            return self._apply(item, said, report.scheduler)
        return None

    def _apply(self, item: WorkItem, said: Notification, scheduler: str) -> ev.ItemEvent | None:
        part = item.part(said.index)
        trigger = TRIGGER_OF.get(said.kind)
        if part is None:
            self._unknown(said, scheduler)
        elif trigger is not None:
            return self._item_event(part, trigger, said)
        elif said.attempt in {None, part.attempt}:
            self._store(part, said, scheduler)
        return None

    def ran(self, told: Ran) -> list[ev.Event]:
        """The machine's events of what functions came to."""
        rows = told.take()
        if not told.files:
            return [ev.ItemsRan(rows)] if rows else []
        events: list[ev.Event] = []
        for item, attempt, at, duration in rows:
            trigger = Trigger.START if duration is None else Trigger.SUCCEED
            events += self.checked(ev.ItemEvent(item, trigger, at, attempt, duration))
        return events

    def _delegated(self, item: WorkItem, said: Notification) -> bool:
        """Whether what a job said goes through the event methods of its scheduler's author."""
        host = self._graph.host(item.scheduler)
        if not host.delegate.take(said):
            return False
        host.deliver()
        return True

    def _may_be_taken_up(self, item: WorkItem, said: Notification) -> bool:
        """Whether a job of an earlier session says this, before the cook has looked what became of its item."""
        memory = self._graph.cook.memory if self._graph.cook is not None else None
        goes_on = memory is not None and memory.how.resume and said.attempt is not None
        return goes_on and not item.attempt and item.phase in {Phase.WAITING, Phase.CHECKING}

    def _read_again(self, item: WorkItem | None) -> None:
        for report in self._early.pop(item.id, ()) if item is not None else ():
            self._link.inbox.post(report)

    def _is_early(self, item: WorkItem, scheduler: str) -> bool:
        # What is said between two attempts is about the last one.
        if item.phase not in _NOT_GIVEN or item.attempt or not (scheduler or item.scheduler):
            return False
        return item.id in self._graph.host(scheduler or item.scheduler).shown

    def kept_for(self, items: Iterable[WorkItem]) -> list[Report]:
        """What was said of these items before they were handed over, to be read again now that they are."""
        return [report for item in items for report in self._early.pop(item.id, ())] if self._early else []

    def _item_event(self, item: WorkItem, trigger: Trigger, said: Notification) -> ev.ItemEvent:
        duration = said.payload[0] if trigger is Trigger.SUCCEED and said.payload else None
        # Some files subtract the wrong way round, some do not know, and an engine may say anything: the times tell it
        # better.
        if not isinstance(duration, int | float) or not 0 < duration < math.inf:
            duration = None
        status = said.exit_status if isinstance(said.exit_status, int) else None
        at = self._link.clock.at(said.at)
        return ev.ItemEvent(item, trigger, at, said.attempt, duration, status, str(said.reason or ""))

    def _store(self, item: WorkItem, said: Notification, scheduler: str) -> None:
        try:
            _STORE[said.kind](self._graph, item, said)
        except Exception as error:  # noqa: BLE001 - what is told comes from anybody's code, and a disk may be full
            source = scheduler or item.scheduler
            text = f'cannot take what was reported of "{item.name}": {error}\n    it was {_shortened(said)}'
            self._link.message("warning", source, text)

    def _unknown(self, said: Notification, scheduler: str) -> None:
        self.unknown += 1
        if self.unknown <= UNKNOWN_TOLD:
            self._link.message(
                "warning",
                scheduler or "result server",
                f"ignored a report on a work item which nobody was given: {_shortened(said)}",
            )

    def checked(self, event: ev.ItemEvent) -> list[ev.ItemEvent]:
        """A success whose declared outputs are not there becomes a failure; those that are become outputs.

        Where a batch ends well, that holds for each sub-item that ends well with it: their failures come before it.
        """
        item = event.item
        if event.trigger not in {Trigger.SUCCEED, Trigger.COOK_SUCCEEDED} or item.phase not in _CHECKED:
            return [event]
        if event.attempt is not None and event.attempt != item.attempt:
            return [event]
        failures = []
        for sub in item.batch.items if item.batch is not None else ():
            reason = self._missing(sub) if sub.phase in HELD else ""
            if reason:
                failures.append(ev.ItemEvent(sub, Trigger.FAIL, event.at, reason=reason))
        reason = self._missing(item)
        if reason:
            event.trigger = Trigger.FAIL if event.trigger is Trigger.SUCCEED else Trigger.COOK_FAILED
            event.reason = reason
        return [*failures, event]

    def _missing(self, item: WorkItem) -> str:
        missing = collect_outputs(item)
        if not missing or not self._checks_outputs(item):
            return ""
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return f'it ended well, but its declared output "{missing[0]}"{more} was not written'

    def _checks_outputs(self, item: WorkItem) -> bool:
        host = self._graph.host(item.scheduler)
        return bool(host.parm_value("pdg_checkexpectedoutputs"))


def _shortened(said: Notification) -> str:
    text = repr(said)
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


def collect_outputs(item: WorkItem) -> list[str]:
    """Take the declared output files that exist into the item's outputs; answers with the paths that do not."""
    missing = []
    known = {file.path for file in item.outputs or ()}
    for file in item.expected_outputs or ():
        if file.path in known:
            continue
        if os.path.exists(file.path):
            item.outputs = [*(item.outputs or ()), file]
        else:
            missing.append(file.path)
    return missing


def _store_outputs(graph: Graph, item: WorkItem, said: Notification) -> None:
    directories = graph.host(item.scheduler).directories
    outputs = list(item.outputs or ())
    known = {file.path for file in outputs}
    for file in said.payload:
        path = localize(file.path, directories, graph.network)
        # A farm's retry, and many a poll, says the same file again.
        if path not in known:
            known.add(path)
            outputs.append(File(path, file.tag or tag_for(path), file.hash, file.own))
    item.outputs = outputs


def _store_attribute(_: Graph, item: WorkItem, said: Notification) -> None:
    name, kind, value, index = said.payload
    if kind in _NESTED and is_deeper(value, MOST_NESTED):
        raise ValueError(f'attribute "{name}" is nested more than {MOST_NESTED} deep')
    attributes = item.attributes if item.attributes is not None else {}
    old = attributes.get(name)
    if index is None:
        values: tuple[Any, ...] = tuple(value) if isinstance(value, list | tuple) else (value,)
        new = Attribute(kind, values, old.flags if old is not None else Attribute(kind, ()).flags)
    else:
        if not 0 <= index < MOST_COMPONENTS:
            raise ValueError(f'attribute "{name}" can have no component {index}')
        base = old if old is not None and old.type == kind else Attribute(kind, (BLANKS[AttribType(kind)],) * index)
        new = base.with_value(value, index)
    # A new dict, not a changed one: other threads may be reading it.
    item.attributes = {**attributes, name: new}


def _store_log(graph: Graph, item: WorkItem, said: Notification) -> None:
    text = redact(str(said.payload[0]))
    path = item_log_path(graph, item)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text if text.endswith("\n") else text + "\n")


def _store_custom_state(_graph: Graph, item: WorkItem, said: Notification) -> None:
    item.ran().custom_state = str(said.payload[0])


def _store_percent(_graph: Graph, item: WorkItem, said: Notification) -> None:
    item.ran().percent = float(said.payload[0])


def _store_invalidate(_graph: Graph, item: WorkItem, _said: Notification) -> None:
    item.outputs = None


def _keep_given(_graph: Graph, _item: WorkItem, _said: Notification) -> None:
    """All of it is there already; only the journal takes it down."""


def item_log_path(graph: Graph, item: WorkItem) -> str:
    """The item's log file below its scheduler's log directory."""
    return f"{graph.host(item.scheduler).directories.log_dir(local=True)}/{file_stem(item.name)}.log"


_STORE: dict[Kind, Callable[[Graph, WorkItem, Notification], None]] = {
    Kind.OUTPUTS: _store_outputs,
    Kind.ATTRIBUTE: _store_attribute,
    Kind.LOG: _store_log,
    Kind.CUSTOM_STATE: _store_custom_state,
    Kind.PERCENT: _store_percent,
    Kind.INVALIDATE_CACHE: _store_invalidate,
    Kind.GIVEN: _keep_given,
    Kind.PASSED: _keep_given,
}
