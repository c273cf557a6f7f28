"""How items move: the half of the machine that applies the transition table and counts dependencies."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from topcook.errors import InvalidTransition
from topcook.machine.phases import DONE_BADLY, DONE_WELL, GIVEN_BACK, HELD, RETURNS, SETTLED, STATE_OF, Phase, Trigger
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
        self._dirty: set[str] = set()
        self._released: deque[WorkItem] = deque()
        self._releasing = False
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
        before = Phase(item.phase)
        row = TRANSITIONS[before].get(trigger)
        if row is None:
            raise InvalidTransition(item.id, before.name, trigger.value, self.story.of(item.id))
        after = before if row.to is None else row.to
        self.story.add(at, item.id, before, trigger, after, row.mark)
        if row.mark == "problem":
            self.problems.append((item, f"{trigger.value} contradicts what was reported: it {_stands(before)}"))
        if row.to is None:
            return False
        self._enter(item, before, after, at)
        return True

    def _enter(self, item: WorkItem, before: Phase, after: Phase, at: float) -> None:
        item.phase = after
        old = item.state
        new = item.state = STATE_OF[after]
        if old is not new:
            self.changes.append((item, old, new, at))
        if before in HELD and after not in HELD:
            scheduler = self.schedulers[item.scheduler]
            scheduler.in_flight -= 1
            if after is not Phase.READY:
                scheduler.has_room_now()
        elif after in HELD and before not in HELD:
            self.schedulers[item.scheduler].in_flight += 1
        if after in SETTLED and before not in SETTLED:
            self._settled(item, after, at)
        elif after is Phase.READY and before is Phase.WAITING:
            self.schedulers[item.scheduler].push(item)

    def _settled(self, item: WorkItem, after: Phase, at: float) -> None:
        node = self.nodes[item.node.name]
        node.unsettled -= 1
        self.unsettled -= 1
        if node.unsettled == 0:
            self._dirty.add(node.node.name)
        if after in DONE_WELL:
            self._feed_outputs(node, item)
            self._released.append(item)
            if not self._releasing:
                self._release_dependents(at)
        elif after in DONE_BADLY:
            self._block_dependents(item, at)

    def _feed_outputs(self, node: NodeState, item: WorkItem) -> None:
        for output in node.outputs:
            if output.when is GenerateWhen.EachUpstreamCooked:
                output.fresh.append(item)
                self._dirty.add(output.node.name)

    def _release_dependents(self, at: float) -> None:
        # A worklist: an automatic item completes inside, and chains of any length must not recurse.
        self._releasing = True
        while self._released:
            for dependent in self._released.popleft().dependents or ():
                dependent.pending -= 1
                if dependent.pending == 0 and dependent.phase == Phase.WAITING and dependent.node.name in self.nodes:
                    self._ready(dependent, at)
        self._releasing = False

    def _ready(self, item: WorkItem, at: float) -> None:
        if item.traits & Trait.AUTOMATIC:
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
        """Take a new item into the cook."""
        item.phase = Phase.WAITING
        item.state = STATE_OF[Phase.WAITING]
        self.nodes[item.node.name].unsettled += 1
        self.unsettled += 1
        if not item.traits & Trait.AUTOMATIC:
            self.needed.add(item.scheduler)

    def link_item(self, item: WorkItem) -> None:
        """Count an added item's dependencies, then let it move as far as they allow."""
        pending = 0
        blocked = False
        for dependency in item.dependencies:
            phase = dependency.phase
            if phase not in DONE_WELL:
                pending += 1
                blocked = blocked or phase in DONE_BADLY or phase == Phase.BLOCKED
        item.pending = pending
        if blocked:
            if item.phase == Phase.WAITING:
                self.move(item, Trigger.BLOCK, self.now)
                self._block_dependents(item, self.now)
        elif pending == 0 and item.phase == Phase.WAITING:
            self._ready(item, self.now)

    def _put_back(self, item: WorkItem) -> None:
        old, item.state = item.state, STATE_OF[Phase.UNCOOKED]
        item.phase = Phase.UNCOOKED
        self.changes.append((item, old, item.state, self.now))

    # ------------------------------------------------------------------ what schedulers say

    def item_event(self, event: ev.ItemEvent) -> None:
        """Apply a notification or the outcome of a hand-over."""
        item, trigger = event.item, event.trigger
        if trigger in RETURNS:
            self._call_returned(item, trigger)
        if event.attempt is not None and event.attempt != item.attempt:
            phase = Phase(item.phase)
            self.story.add(event.at, item.id, phase, trigger, phase, f"stale: attempt {event.attempt}")
            return
        if event.reason:
            self._note_reason(item, event.reason)
        if not self.move(item, trigger, event.at):
            return
        if trigger in GIVEN_BACK:
            # Nobody took it, so the number was not used up.
            item.attempt -= 1
        self._note_times(event)

    def _call_returned(self, item: WorkItem, trigger: Trigger) -> None:
        scheduler = self.schedulers[item.scheduler]
        if trigger is Trigger.NOT_OFFERED:
            scheduler.offered -= 1
        if item.phase == Phase.HANDING_OVER and trigger in GIVEN_BACK:
            scheduler.defer(item, full=trigger is Trigger.FULL)
        scheduler.call_ended()

    def _note_reason(self, item: WorkItem, reason: str) -> None:
        messages = item.ran().messages
        if reason and reason not in messages:
            messages.append(reason)

    def _note_times(self, event: ev.ItemEvent) -> None:
        run = event.item.ran()
        phase = Phase(event.item.phase)
        if phase is Phase.COOKING:
            run.started = event.at
            run.finished = run.duration = run.exit_status = None
        elif phase in SETTLED and run.finished is None:
            run.finished = event.at
            run.exit_status = event.exit_status
            run.duration = event.duration
            if run.duration is None and run.started is not None:
                run.duration = run.finished - run.started


def _stands(phase: Phase) -> str:
    return "is cooking" if phase is Phase.COOKING else f"ended as {phase.name.lower()}"
