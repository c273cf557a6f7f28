"""How items move: the half of the machine that applies the transition table and counts dependencies."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from topcook.errors import InvalidTransition
from topcook.machine.phases import (
    DONE_BADLY,
    DONE_WELL,
    GIVEN_BACK,
    HELD,
    LOST,
    RETURNS,
    SETTLED,
    STATE_OF,
    Phase,
    Trigger,
)
from topcook.machine.story import Story
from topcook.machine.transitions import TRANSITIONS
from topcook.model.enums import GenerateWhen
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from topcook.machine import events as ev
    from topcook.machine import instructions as ins
    from topcook.machine.nodes import NodeState
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.states import WorkItemState
    from topcook.model.workitem import WorkItem

#: item, PDG state before, state after, when
Change = tuple["WorkItem", "WorkItemState", "WorkItemState", float]

# Read for every step of every item: by position and as plain integers, because an enumeration's call and its ``&`` are
# Python functions.
_PHASES = tuple(Phase)
_ROWS = tuple(TRANSITIONS[phase] for phase in Phase)
_STATES = tuple(STATE_OF[phase] for phase in Phase)
_AUTOMATIC = int(Trait.AUTOMATIC)


class Items:
    """Items, their schedulers' queues, and every step an item takes."""

    def __init__(self, nodes: Iterable[NodeState], schedulers: Iterable[SchedulerState]) -> None:
        """Know the nodes and schedulers by name."""
        self.nodes: dict[str, NodeState] = {node.node.name: node for node in nodes}
        self.schedulers: dict[str, SchedulerState] = {s.name: s for s in schedulers}
        self.unsettled = 0
        #: Names of schedulers that have, or had, something to do.
        self.needed: set[str] = set()
        self.now = 0.0
        self.story = Story()
        self.changes: list[Change] = []
        #: Contradictions worth telling: (item, what).
        self.problems: list[tuple[WorkItem, str]] = []
        #: Counters over all nodes: those not complete, and generation calls under way.
        self.incomplete = len(self.nodes)
        self.calls = 0
        self.cooking = False
        #: Names of nodes to look at, in order; a dict because a set's order changes from run to run.
        self._dirty: dict[str, None] = {}
        self._released: deque[WorkItem] = deque()
        self._releasing = False
        #: Ids of held items that the user cancels, until the scheduler has been told.
        self._doomed: set[int] = set()
        #: Batches about which something changed, to be looked at once the event is carried out.
        self.batches: deque[WorkItem] = deque()
        self._out: list[ins.Instruction] = []

    def all_items(self) -> Iterator[WorkItem]:
        """Every item of the wanted nodes, node by node."""
        for node in self.nodes.values():
            yield from node.node.items

    def know_scheduler(self, scheduler: SchedulerState) -> None:
        """Take a scheduler into the cook, before the first item that needs it."""
        self.schedulers[scheduler.name] = scheduler

    def drain_changes(self) -> list[Change]:
        """The state changes since the last call, in order."""
        changes, self.changes = self.changes, []
        return changes

    def drain_problems(self) -> list[tuple[WorkItem, str]]:
        """The contradictions noted since the last call."""
        problems, self.problems = self.problems, []
        return problems

    # ------------------------------------------------------------------ the step

    def move(self, item: WorkItem, trigger: Trigger, at: float) -> bool:
        """Apply one row of the table; answers whether the item moved. Raises ``InvalidTransition`` without a row."""
        before = _PHASES[item.phase]
        row = _ROWS[before].get(trigger)
        if row is None:
            raise InvalidTransition(item.id, before.name, trigger.value, self.story.of(item.id))
        after, mark = row
        self.story.add(at, item.id, before, trigger, before if after is None else after, mark)
        if after is None:
            if mark == "problem":
                self.problems.append((item, f"{trigger.value} contradicts what was reported: it {_stands(before)}"))
            return False
        self._enter(item, before, after, at)
        return True

    def _enter(self, item: WorkItem, before: Phase, after: Phase, at: float) -> None:
        item.phase = after
        old = item.state
        new = item.state = _STATES[after]
        if old is not new:
            self.changes.append((item, old, new, at))
        if item.batch_parent is not None:
            # Its batch has the place in the queue and counts as the one job that it is.
            self._count_in_batch(item.batch_parent, before, after)
        elif before in HELD:
            if after not in HELD:
                scheduler = self.schedulers[item.scheduler]
                scheduler.in_flight -= 1
                if after is not Phase.READY:
                    scheduler.has_room_now()
        elif after in HELD:
            self.schedulers[item.scheduler].in_flight += 1
        elif after is Phase.READY:
            self.schedulers[item.scheduler].push(item)
        if item.batch is not None:
            self.batches.append(item)
        if after in SETTLED:
            self._settled(item, after, at)
        elif after is Phase.UNCOOKED and before is not Phase.BLOCKED:
            self._count(item, -1)

    def _count_in_batch(self, parent: WorkItem, before: Phase, after: Phase) -> None:
        batch = parent.batch
        assert batch is not None  # noqa: S101 - what has sub-items is a batch
        for phase, change in ((before, -1), (after, 1)):
            if phase is Phase.WAITING:
                batch.waiting += change
            elif phase is Phase.READY:
                batch.ready += change
            elif phase in LOST:
                batch.lost += change
        if parent.phase not in SETTLED:
            self.batches.append(parent)

    def _settled(self, item: WorkItem, after: Phase, at: float) -> None:
        node = self._count(item, -1)
        if node.unsettled == 0:
            self._dirty[node.node.name] = None
        if after in DONE_WELL:
            self._feed_outputs(node, item)
            self._released.append(item)
            if not self._releasing:
                self._release_dependents(at)
        elif after in DONE_BADLY:
            self._block_dependents(item, at)

    def _count(self, item: WorkItem, change: int) -> NodeState:
        node = self.nodes[item.node.name]
        node.unsettled += change
        self.unsettled += change
        return node

    def _feed_outputs(self, node: NodeState, item: WorkItem) -> None:
        for output in node.outputs:
            if output.when is GenerateWhen.EachUpstreamCooked:
                output.fresh.append(item)
                self._dirty[output.node.name] = None

    def _release_dependents(self, at: float) -> None:
        # A worklist: an automatic item completes inside, and chains of any length must not recurse.
        self._releasing = True
        while self._released:
            for dependent in self._released.popleft().dependents or ():
                dependent.pending -= 1
                if dependent.phase != Phase.WAITING or dependent.node.name not in self.nodes:
                    continue
                parent = dependent.batch_parent
                if dependent.pending == 0:
                    self._ready(dependent, at)
                elif parent is not None and parent.phase == Phase.WAITING:
                    # It may still wait for others of its batch only, which does not hold that up.
                    self.batches.append(parent)
        self._releasing = False

    def _ready(self, item: WorkItem, at: float) -> None:
        if int(item.traits) & _AUTOMATIC:
            run = item.ran()
            run.queued = run.started = run.finished = at
            run.duration = 0.0
            self.move(item, Trigger.COMPLETE, at)
        else:
            self.move(item, Trigger.RELEASE, at)

    def _block_dependents(self, item: WorkItem, at: float) -> None:
        todo = [item]
        while todo:
            for dependent in todo.pop().dependents or ():
                if dependent.phase in {Phase.WAITING, Phase.HANDED_OVER} and dependent.node.name in self.nodes:
                    self.move(dependent, Trigger.BLOCK, at)
                    todo.append(dependent)

    # ------------------------------------------------------------------ joining and leaving

    def add_item(self, item: WorkItem) -> None:
        """Take a new item into the cook; ``link_item`` counts what it waits for once all of its like are added."""
        item.phase = Phase.WAITING
        item.state = STATE_OF[Phase.WAITING]
        item.pending = 0
        self._count(item, 1)
        if item.batch is not None:
            item.batch.first = item.batch.waiting = item.batch.ready = item.batch.lost = 0
        elif item.batch_parent is not None and item.batch_parent.batch is not None:
            item.batch_parent.batch.waiting += 1
        if not int(item.traits) & _AUTOMATIC:
            self.needed.add(item.scheduler)

    def link_item(self, item: WorkItem) -> None:
        """Count an added item's dependencies, then let it move as far as they allow; a batch goes by its sub-items."""
        if item.batch is not None:
            self.batches.append(item)
            return
        pending = 0
        hopeless = False
        for dependency in item.dependencies:
            phase = dependency.phase
            if phase not in DONE_WELL:
                pending += 1
                if phase in SETTLED:
                    hopeless = True
                elif phase == Phase.UNCOOKED or dependency.node.name not in self.nodes:
                    self._note_reason(item, f'it waits for "{dependency.name}", which is not part of this cook')
                    hopeless = True
        item.pending = pending
        if hopeless:
            if item.phase == Phase.WAITING:
                self.block(item)
        elif pending == 0 and item.phase == Phase.WAITING:
            self._ready(item, self.now)

    def block(self, item: WorkItem) -> None:
        """Block an item, and all that wait for it."""
        self.move(item, Trigger.BLOCK, self.now)
        self._block_dependents(item, self.now)

    def take_back(self, item: WorkItem, trigger: Trigger, at: float) -> None:
        """End an item by the cook's own decision; it ended now, as far as anybody knows."""
        if self.move(item, trigger, at):
            self._note_end(item, at)

    # ------------------------------------------------------------------ what schedulers say

    def item_event(self, event: ev.ItemEvent) -> None:
        """Apply a notification or the outcome of a hand-over."""
        item, trigger, at = event.item, event.trigger, event.at
        if trigger in RETURNS:
            scheduler = self.schedulers.get(item.scheduler)
            if scheduler is None or item.id not in scheduler.calls:
                # A callback that hung through the end of an earlier cook has come back in this one.
                self._ignore(item, trigger, at, "late: nobody asked")
                return
            scheduler.call_ended(item, trigger)
        if event.attempt is not None and event.attempt != item.attempt:
            self._ignore(item, trigger, at, f"stale: attempt {event.attempt}")
            return
        if event.reason:
            self._note_reason(item, event.reason)
        if not self.move(item, trigger, at):
            return
        if item.phase == Phase.COOKING:
            self._note_start(item, at)
        elif item.phase in SETTLED:
            self._note_end(item, at, event.duration, event.exit_status)
        elif trigger in GIVEN_BACK:
            # Nobody took it, so the number was not used up.
            item.attempt -= 1
            if item.batch is not None:
                self.bring_back(item, at)
            if item.id in self._doomed:
                self.take_back(item, Trigger.CANCEL_ORDER, at)

    def _ignore(self, item: WorkItem, trigger: Trigger, at: float, why: str) -> None:
        phase = _PHASES[item.phase]
        self.story.add(at, item.id, phase, trigger, phase, why)

    def _note_reason(self, item: WorkItem, reason: str) -> None:
        messages = item.ran().messages
        if reason and reason not in messages:
            messages.append(reason)

    def bring_back(self, item: WorkItem, at: float) -> None:
        """A batch was not taken: its sub-items are the cook's again."""
        assert item.batch is not None  # noqa: S101 - only called for batches
        for sub in item.batch.items:
            if sub.phase == Phase.HANDED_OVER:
                sub.attempt = item.attempt
                self.move(sub, Trigger.BATCH_BACK, at)
                if sub.pending == 0:
                    self.move(sub, Trigger.RELEASE, at)

    def _note_start(self, item: WorkItem, at: float) -> None:
        run = item.ran()
        run.started = at
        run.finished = run.duration = run.exit_status = None

    def _note_end(
        self, item: WorkItem, at: float, duration: float | None = None, exit_status: int | None = None
    ) -> None:
        run = item.ran()
        run.finished = at
        run.exit_status = exit_status
        if duration is None and run.started is not None:
            # A start may be read after the end that was noted before it.
            duration = max(0.0, at - run.started)
        run.duration = duration


def _stands(phase: Phase) -> str:
    return "is cooking" if phase is Phase.COOKING else f"ended as {phase.name.lower()}"
