"""What a cook knows of the one before it, and what it leaves for the next one.

Every cook that is kept gives its items keys and writes their fingerprints down; one that has a past looks each item
up before anything becomes of it.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from topcook.machine import events as ev
from topcook.machine import instructions as ins
from topcook.machine.phases import DONE_WELL, SETTLED, Trigger
from topcook.model.enums import CacheMode
from topcook.model.states import WorkItemState
from topcook.model.workitem import Trait
from topcook.runtime.inbox import Broken
from topcook.runtime.keeper.record import read_record
from topcook.runtime.resume.fingerprints import Fingerprints
from topcook.runtime.resume.keys import Keys
from topcook.runtime.resume.restoring import Had, Left, restore
from topcook.runtime.resume.settings import Settings
from topcook.runtime.resume.verdicts import (
    NOT_COOKED,
    Finding,
    Verdict,
    judge,
    judge_apart,
    judge_automatic,
    judge_batch,
    judge_part,
    maybe_in_flight,
    unseen_cause,
)
from topcook.runtime.statedir import cook_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topcook.machine.items import Change
    from topcook.model.attributes import Attribute
    from topcook.model.files import File
    from topcook.model.node import Node
    from topcook.model.workitem import Batch, WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.journal import Past, PastItem
    from topcook.runtime.keeper.ofcook import CookKeeper
    from topcook.runtime.link import CookLink
    from topcook.runtime.recorder import Recorder

__all__ = ["Judged", "Memory"]

_AUTOMATIC = int(Trait.AUTOMATIC)
#: What of a batch its job has not begun with, as far as anybody was told.
_NOT_BEGUN = frozenset({WorkItemState.Uncooked, WorkItemState.Waiting, WorkItemState.Scheduled})
#: What tells that an item has begun: by now all that it waits for is done.
_BEGINS = frozenset({WorkItemState.Cooking, WorkItemState.CookedSuccess})
#: The same of what has a job of its own: it has failed, for good or to be tried again, and nobody told that it began.
_FAILS = frozenset({WorkItemState.CookedFail, WorkItemState.Waiting})
#: How many items are told of that cook again.
_MOST_TOLD = 200
#: Seconds between two looks at processes that nobody else watches.
_PAUSE = 0.1
_TRIGGER = {
    Verdict.DONE: Trigger.FOUND,
    Verdict.COOK: Trigger.FRESH,
    Verdict.FAILED: Trigger.FAILED_BEFORE,
    Verdict.IN_FLIGHT: Trigger.ADOPT,
}


class Judged:
    """Items were looked up; an entry of the cook's inbox."""

    __slots__ = ("findings", "memory")

    def __init__(self, memory: Memory, findings: list[Finding]) -> None:
        """Keep what ``memory`` has found."""
        self.memory = memory
        self.findings = findings


class Memory:
    """The memory of one cook.

    ``recall`` looks items up on a thread of its own, because a disk may be slow, and answers with ``Judged`` through
    the inbox; ``settle`` takes that in on the cook thread.
    """

    def __init__(self, graph: Graph, recorder: Recorder, past: Past | None, how: Settings | None = None) -> None:
        """``past`` is what was done before, ``None`` for nothing; what is found out now goes to ``recorder``."""
        self.how = how or Settings()
        self.past = past
        self._graph = graph
        self._recorder = recorder
        self._keys = Keys()
        self._by_key: dict[str, WorkItem] = {}
        # Who cooks all of it again looks at no files, and leaves what the next cook has to know of them all the same.
        self._prints = Fingerprints(graph, self.how.files if self.how.files != "off" else "mtime")
        self._modes: dict[Node, CacheMode] = {}
        self._validates: dict[str, bool] = {}
        self._known = past.ids() if past is not None and self.how.resume else {}
        self._noted: set[int] = set()
        #: What items would do that are to be cooked again: told with their hand-over.
        self._judged: dict[int, str] = {}
        #: Of items that cook nothing themselves, what was cooked again for them without leaving a trace, by id.
        self._unseen: dict[int, WorkItem | None] = {}
        #: Attributes of items that were given away before their time, by id.
        self._early: dict[int, Mapping[str, Attribute]] = {}
        self._asked: SimpleQueue[list[WorkItem] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._link: CookLink | None = None
        #: Has what an earlier session left running here; given by the cook.
        self.keeper: CookKeeper | None = None
        self._outlived: list[Finding] = []
        #: The tokens of those that still ran when they were looked for the last time.
        self._awaited: set[str] = set()
        #: Outputs and attributes of items in flight, as they were made.
        self._had: dict[int, tuple[list[File] | None, dict[str, Attribute] | None]] = {}
        #: Ids of items whose jobs are only to be ended.
        self._unwanted: set[int] = set()
        #: Ids of batches of which something is not as a job that may still run has it.
        self._spoiled: set[int] = set()
        self._told = 0
        #: Ids of items that a job of before may have: whoever would hand them over unseen asks for that first.
        self.left_behind: set[int] = set()
        #: The last attempts of earlier sessions, by id.
        self._attempts: dict[int, int] = {}
        #: What was found about each item that was looked up, by its id: verdict and reason.
        self.found: dict[int, tuple[Verdict, str]] = {}
        if self._known:
            graph.count_from(max(self._known.values()) + 1)

    @property
    def remembers(self) -> bool:
        """Whether items are to be looked up at all."""
        return self.past is not None or any(
            self._mode_of(node) is CacheMode.AlwaysRead for node in self._graph.network.nodes.values()
        )

    # ------------------------------------------------------------------ who is who

    def identify(self, items: Iterable[WorkItem]) -> None:
        """Give new items their keys; in a cook that goes on, the ids that they had there, too."""
        made = list(items)
        self._keys.give(made)
        together: list[WorkItem] = []
        for item in made:
            known = self._known.get(item.key)
            if known is not None:
                item.id = known
                if item.batch is not None or item.batch_parent is not None:
                    together.append(item)
            if self.past is not None:
                self._by_key[item.key] = item
                if self.past.is_open(item.key):
                    self.left_behind.add(item.id)
        if together and self.past is not None:
            self._count_on(together, self.past.find_all([item.key for item in together]))

    def _count_on(self, items: list[WorkItem], known: list[PastItem | None]) -> None:
        """Batches and sub-items go on counting attempts; of a batch that may be in flight, know what has begun."""
        begun: set[int] = set()
        for item, past in zip(items, known, strict=True):
            if past is not None:
                item.attempt = past.attempt
                if past.state not in _NOT_BEGUN:
                    begun.add(item.id)
        for item, past in zip(items, known, strict=True):
            if item.batch is not None and past is not None and maybe_in_flight(past):
                item.batch.begun = [sub for sub in item.batch.items if sub.id in begun]

    # ------------------------------------------------------------------ without a past: what the next cook will ask

    def note(self, instructions: Iterable[ins.Instruction], changes: Iterable[Change]) -> None:
        """Write down what the items would do that are about to be handed over for the first time.

        Of one that is handed over before what it waits for is done, that is known when it begins; until then, of one
        that somebody else may begin while nobody of us is there, as much as is known.
        """
        for each in instructions:
            if isinstance(each, ins.HandOver | ins.HandOverStatic):
                for item in each.items:
                    if item.batch is not None:
                        self._note_parts(item.batch, early=isinstance(each, ins.HandOverStatic))
                    if item.id in self._noted:
                        continue
                    if _needs_nothing(item):
                        self._note(item, self._judged.pop(item.id, "") or self._prints.of(item))
                    else:
                        self._note_early(item)
        if self._early:
            for item, _, new, _ in changes:
                begun = new in _BEGINS or (new in _FAILS and item.batch_parent is None)
                if begun and item.id in self._early and _needs_nothing(item):
                    self._note(item, self._prints.of(item, self._early.pop(item.id)))

    def _note_early(self, item: WorkItem) -> None:
        self._early[item.id] = item.attributes or {}
        self._recorder.keep_fingerprint(item, self._prints.of(item, early=True))

    def _note_parts(self, batch: Batch, *, early: bool) -> None:
        for sub in batch.items:
            if sub.id not in self._noted and sub.phase not in SETTLED:
                if not batch.apart and _needs_nothing(sub, beside=sub.batch_parent):
                    # Nobody may ever tell that it begins.
                    self._note(sub, self._prints.of(sub))
                elif early:
                    self._note_early(sub)
                else:
                    self._early.setdefault(sub.id, dict(sub.attributes or ()))

    def _note(self, item: WorkItem, fingerprint: str) -> None:
        self._noted.add(item.id)
        self._recorder.keep_fingerprint(item, fingerprint)

    # ------------------------------------------------------------------ looking up

    def recall(self, items: list[WorkItem], link: CookLink) -> None:
        """Look items up; the answer comes through the inbox of ``link``."""
        self._link = link
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="topcook-recall", daemon=True)
            self._thread.start()
        self._asked.put(items)

    def close(self) -> None:
        """Nothing is looked up any more."""
        self._asked.put(None)
        if self.past is not None:
            self.past.close()

    def _work(self) -> None:
        while (items := self._next()) is not None:
            link = self._link
            assert link is not None  # noqa: S101 - set before anything is asked
            try:
                found = self._ready_to_go(self._judge_all(items))
                if found:
                    link.inbox.post(Judged(self, found))
            except BaseException as error:  # noqa: BLE001 - a mistake of ours: the cook has to hear of it, or waits forever
                link.inbox.post(Broken(error))

    def _next(self) -> list[WorkItem] | None:
        try:
            return self._asked.get(timeout=_PAUSE if self._outlived else None)
        except Empty:
            return []

    def _ready_to_go(self, found: list[Finding]) -> list[Finding]:
        """See to what runs of items that are another thing now; put off those whose job runs untold."""
        found = [*self._outlived, *found]
        self._outlived = []
        # A sub-item's job is that of its batch.
        jobs = [each for each in found if each.item.batch_parent is None]
        left = [each for each in jobs if each.past is not None and maybe_in_flight(each.past)]
        if not left:
            return found
        outlived: set[str] = set()
        if self.keeper is not None and self.how.resume:
            running = self.keeper.outlived([_token(each) for each in left])
            # Once more where one has ended: a keeper that could not be reached may be about to write that down.
            outlived, self._awaited = running | self._awaited, running
            over = [each for each in left if each.verdict is Verdict.COOK and _token(each) not in outlived]
            self.keeper.drop([_token(each) for each in over])
        self._outlived = [each for each in left if _token(each) in outlived]
        self._have_ended([each for each in left if each.verdict is Verdict.COOK and _token(each) not in outlived])
        return [each for each in found if _token(each) not in outlived]

    def _have_ended(self, over: list[Finding]) -> None:
        """Let the schedulers end what is left on farms of items that cook again; what a keeper had has ended."""
        if not over or self.past is None:
            return
        recorded = read_record(cook_directory(self.past.cook_id))
        for each in over:
            # A scheduler cannot be asked for the jobs of another one.
            if _token(each) not in recorded and each.past is not None and each.past.scheduler == each.item.scheduler:
                each.verdict = Verdict.IN_FLIGHT
                self._unwanted.add(each.item.id)

    def judge(self, item: WorkItem) -> Finding:
        """The verdict on an item whose dependencies are done."""
        return self._judge_all([item])[0]

    def _judge_all(self, items: list[WorkItem]) -> list[Finding]:
        found = self._judge_each(items)
        for place, item in enumerate(items):
            batch = item.batch
            if batch is None:
                continue
            if batch.apart:
                found[place] = judge_apart(found[place], batch.items, spoiled=item.id in self._spoiled)
            elif all(each.phase in DONE_WELL for each in item.needs):
                found[place] = judge_batch(found[place], self._judge_each(batch.items))
            else:
                # It was under way, and is to start before it can be told whether it is the same.
                found[place].verdict, found[place].reason = Verdict.COOK, "what it waits for is not all done"
        return found

    def _judge_each(self, items: list[WorkItem]) -> list[Finding]:
        known = self.past.find_all([item.key for item in items]) if self.past is not None else [None] * len(items)
        return [self._judge(item, past) for item, past in zip(items, known, strict=True)]

    def _judge(self, item: WorkItem, past: PastItem | None) -> Finding:
        if int(item.traits) & _AUTOMATIC:
            found = judge_automatic(item, past)
            if found.verdict is Verdict.COOK:
                self._unseen[item.id] = unseen_cause(item, self._unseen)
            return found
        found = judge(
            item,
            past,
            self._prints.of(item),
            self.how,
            self._mode_of(item.node),
            validate=self._validates_outputs(item.scheduler),
            name_of=self._by_key.get,
            unseen=self._unseen,
            attempts=self._attempts,
        )
        parent = item.batch_parent
        return judge_part(found) if parent is not None and parent.batch is not None and parent.batch.apart else found

    def _mode_of(self, node: Node) -> CacheMode:
        known = self._modes.get(node)
        if known is None:
            parm = node.parms.get("pdg_cachemode")
            known = self._modes[node] = read_mode(parm.at() if parm is not None else 0)
        return known

    def _validates_outputs(self, scheduler: str) -> bool:
        known = self._validates.get(scheduler)
        if known is None:
            known = self._validates[scheduler] = bool(
                self._graph.host(scheduler).parm_value("pdg_validateoutputs") if scheduler else True
            )
        return known

    def left(self, items: list[WorkItem]) -> list[Left]:
        """What is known of the last hand-over of items that were in flight."""
        if self.past is None:
            return []
        recorded = read_record(cook_directory(self.past.cook_id))
        known = zip(items, self.past.find_all([item.key for item in items]), strict=True)
        return [
            Left(
                item,
                past,
                item.id not in self._unwanted,
                past.token not in recorded and self._may_run(item, past),
                self._had.pop(item.id, (item.outputs, item.attributes)),
                self._had_of_parts(item),
            )
            for item, past in known
            if past is not None
        ]

    def _may_run(self, item: WorkItem, past: PastItem) -> bool:
        # Of another cook what a keeper had has been ended, and its record with it.
        began = self.how.resume and past.state is WorkItemState.Cooking
        return bool(past.job) or (began and not int(item.traits) & int(Trait.IN_PROCESS))

    # ------------------------------------------------------------------ taking it in

    def settle(self, judged: Judged, at: float) -> ev.Recalled:
        """Give items back what they had, and tell the machine; on the cook thread."""
        rows: list[tuple[WorkItem, Trigger, str]] = []
        tried: list[tuple[WorkItem, list[int | None]]] = []
        for found in judged.findings:
            item, past = found.item, found.past
            if int(item.traits) & _AUTOMATIC:
                rows.append((item, Trigger.FOUND if found.verdict is Verdict.DONE else Trigger.COMPLETE, ""))
                continue
            again = found.verdict is Verdict.COOK or item.id in self._unwanted
            self.found[item.id] = (Verdict.COOK if again else found.verdict, found.reason)
            if past is not None and again:
                self._tell(item, found.reason)
            rows += self._settle_found(found)
            if past is not None and self.how.resume:
                item.attempt = self._attempts[item.id] = past.attempt
                if (
                    item.batch_parent is None
                    and len(past.earlier) > past.anew
                    and found.fingerprint == past.fingerprint
                    and not past.has_failed
                ):
                    tried.append((item, [each.exit_status for each in past.earlier[past.anew :]]))
            anew = past is not None and past.has_failed and again
            if past is not None and found.fingerprint == past.fingerprint and self.how.resume and not anew:
                self._noted.add(item.id)
            elif again:
                # Until it is handed over, what the journal has of it is what was done.
                self._judged[item.id] = found.fingerprint
            else:
                self._note(item, found.fingerprint)
            rows.append((item, _TRIGGER[found.verdict], found.reason if found.verdict is Verdict.FAILED else ""))
        return ev.Recalled(rows, at, tried)

    def _settle_found(self, found: Finding) -> list[tuple[WorkItem, Trigger, str]]:
        """Give an item back what it had; what follows for sub-items of a batch."""
        item, past = found.item, found.past
        if found.verdict is Verdict.DONE:
            restore(item, past)
            for part in found.parts:
                self._settle_part(part)
        elif found.verdict is Verdict.FAILED and past is not None:
            item.ran().messages += past.messages
        elif found.verdict is Verdict.IN_FLIGHT:
            self._give_back(item, past)
        if item.batch_parent is not None:
            self._settle_sub(found, item.batch_parent)
        return self._settle_batch(found, item.batch) if item.batch is not None else []

    def _give_back(self, item: WorkItem, past: PastItem | None) -> None:
        """Give an item in flight what it had; from now on what its job says is added to this."""
        self._had[item.id] = (item.outputs, item.attributes)
        restore(item, past)

    def _had_of_parts(self, item: WorkItem) -> list[Had]:
        """What the sub-items of a batch in flight were without it."""
        subs = item.batch.items if item.batch is not None else []
        return [(sub, *self._had.pop(sub.id)) for sub in subs if sub.id in self._had]

    def _settle_batch(self, found: Finding, batch: Batch) -> list[tuple[WorkItem, Trigger, str]]:
        """See to the sub-items of a batch that is not done; those of them that are, unless it cooks as a whole."""
        if found.verdict is Verdict.COOK:
            for sub, outputs, attributes in self._had_of_parts(found.item):
                sub.outputs, sub.attributes = outputs, attributes
        if found.verdict not in {Verdict.IN_FLIGHT, Verdict.FAILED}:
            return []
        done = [part for part in found.parts if part.verdict is Verdict.DONE]
        for part in found.parts:
            if part.verdict is Verdict.DONE:
                self._settle_part(part)
            elif found.verdict is Verdict.IN_FLIGHT:
                self._give_back(part.item, part.past)
                self._noted.add(part.item.id)
            elif part.past is not None:
                part.item.ran().messages += part.past.messages
        if found.verdict is Verdict.IN_FLIGHT:
            for sub in batch.items:
                if sub.id not in self._noted and sub.phase not in SETTLED:
                    self._early.setdefault(sub.id, dict(self._had.get(sub.id, (None, sub.attributes))[1] or ()))
        return [(part.item, Trigger.FOUND, "") for part in done]

    def _settle_sub(self, found: Finding, parent: WorkItem) -> None:
        """See to a sub-item that was looked up by itself, where a job of an earlier session may have its batch."""
        if parent.batch is None or parent.batch.begun is None or found.verdict is not Verdict.COOK:
            return
        if found.spoils:
            # Whatever else is found: that job is not taken up, so the batch need not wait to be looked up.
            self._spoiled.add(parent.id)
            parent.batch.begun = []
        elif found.past is not None:
            self._give_back(found.item, found.past)

    def _settle_part(self, found: Finding) -> None:
        """Give a sub-item that is done with its batch what it had."""
        restore(found.item, found.past)
        self.found[found.item.id] = (Verdict.DONE, "")
        if not self.how.resume or found.past is None or found.fingerprint != found.past.fingerprint:
            self._note(found.item, found.fingerprint)
        else:
            self._noted.add(found.item.id)

    def _tell(self, item: WorkItem, reason: str) -> None:
        """Say why an item is cooked again, for those who look closely; not of each where there are many."""
        if reason == NOT_COOKED:
            # That is what most of a cook that goes on is made of, and no news of any.
            return
        self._told += 1
        if self._link is not None and self._told <= _MOST_TOLD:
            self._link.message("info", item.node.name, f"{item.name} cooks again: {reason}")
            if self._told == _MOST_TOLD:
                self._link.message("info", "cook", "why more items cook again is not told: see --dry-run")


def _needs_nothing(item: WorkItem, *, beside: WorkItem | None = None) -> bool:
    """Whether all that an item waits for is done, but for what is in the batch that it waits beside."""
    return all(
        needed.phase in DONE_WELL or (beside is not None and needed.batch_parent is beside)
        for needed in item.dependencies
    )


def _token(found: Finding) -> str:
    return found.past.token if found.past is not None else ""


def read_mode(value: Any) -> CacheMode:
    """A cache mode as a parm says it: PDG's number, or the name of the mode; anything else is automatic."""
    text = str(value).strip().lower()
    for mode in CacheMode:
        if text in {str(int(mode)), mode.name.lower()}:
            return mode
    return CacheMode.Automatic
