"""How items move: the half of the machine that applies the transition table and counts dependencies."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from topcook.errors import InvalidTransition
from topcook.machine.phases import (
    DONE_BADLY,
    DONE_WELL,
    FAILURES,
    GIVEN_BACK,
    HELD,
    LOST,
    RETURNS,
    SETTLED,
    STATE_OF,
    Phase,
    Trigger,
)
from topcook.machine.policies import Timers
from topcook.machine.steps import FREED, QUEUED, STEPS, TAKEN
from topcook.machine.story import Story
from topcook.model.enums import GenerateWhen
from topcook.model.workitem import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from topcook.machine import events as ev
    from topcook.machine import instructions as ins
    from topcook.machine.nodes import NodeState
    from topcook.machine.policies import Policies
    from topcook.machine.resources import Resources
    from topcook.machine.schedulers import SchedulerState
    from topcook.model.files import File
    from topcook.model.states import WorkItemState
    from topcook.model.workitem import WorkItem

#: item, PDG state before, state after, when
Change = tuple["WorkItem", "WorkItemState", "WorkItemState", float]

# Plain integers: a flag's own ``&`` is a Python function, and this is asked of every item.
_AUTOMATIC = int(Trait.AUTOMATIC)
# Where nothing else is asked, an enumeration's member takes a while to find.
_WAITING, _READY, _COOKING, _SUCCESS = Phase.WAITING, Phase.READY, Phase.COOKING, Phase.SUCCESS
_RELEASE = Trigger.RELEASE
_BLOCKABLE = frozenset({Phase.WAITING, Phase.HANDED_OVER, Phase.DELAYED})


class Items:
    """Items, their schedulers' queues, and every step an item takes."""

    #: From so many items on the cook begins while static items are still being made; 0: never. And that it did.
    early_from = 0
    begun_early = False
    #: Ids of items that a job of an earlier session may have: they are looked up before they are given to anybody.
    left_behind: AbstractSet[int] = frozenset()
    #: Whether there is a past to look items up in; said before the cook begins.
    remembers = False

    def __init__(self, nodes: Iterable[NodeState], schedulers: Iterable[SchedulerState]) -> None:
        """Know the nodes and schedulers by name."""
        self.nodes: dict[str, NodeState] = {node.node.name: node for node in nodes}
        self.schedulers: dict[str, SchedulerState] = {s.name: s for s in schedulers}
        self.unsettled = 0
        #: Names of schedulers that have, or had, something to do.
        self.needed: set[str] = set()
        self.now = 0.0
        self.story = Story()
        self.tell = self.story.tell
        self.changes: list[Change] = []
        #: Automatic items that were done by themselves, not yet drained.
        self.completed: list[WorkItem] = []
        #: Contradictions worth telling: (item, what).
        self.problems: list[tuple[WorkItem, str]] = []
        #: Counters over all nodes: those not complete, the static ones of them, and generation calls under way.
        self.incomplete = len(self.nodes)
        self.incomplete_static = sum(node.static for node in self.nodes.values())
        self.calls = 0
        self.cooking = False
        #: Names of nodes to look at, in order; a dict because a set's order changes from run to run.
        self._dirty: dict[str, None] = {}
        self._released: deque[WorkItem] = deque()
        self._releasing = False
        #: Ids of held items that the user cancels, until the scheduler has been told.
        self._doomed: set[int] = set()
        self.stage = "new"
        #: Ids of items that were looked up, or are to be; items still to be asked about; those asked about, by id.
        self._looked_up: set[int] = set()
        self.to_recall: list[WorkItem] = []
        self.recalling: dict[int, WorkItem] = {}
        #: Items whose last hand-over has no known end, by the scheduler that is to be asked for them.
        self.adoptable: dict[str, list[WorkItem]] = {}
        self._told_early: dict[int, list[ev.ItemEvent]] = {}
        #: ``None`` while every failure stands and nothing takes too long.
        self.policies: Policies | None = None
        self.timers = Timers()
        #: ``None`` while nothing is limited but by its scheduler.
        self.resources: Resources | None = None
        #: The cook stops when so many items have failed for good; 0: never.
        self.max_failures = 0
        self.failed = 0
        #: Why the cook is to stop because of failures, empty while it is not.
        self.giving_up = ""
        #: Items between two attempts, by id; some may have been blocked or canceled since.
        self.delayed: dict[int, WorkItem] = {}
        self._delays: dict[int, float] = {}
        #: Ids of delayed items whose time has come while somebody was still busy with their last attempt.
        self._due: set[int] = set()
        #: Why items are being ended by their scheduler, by id, until it has been told.
        self._ending: dict[int, str] = {}
        #: The last sign of life of a job that promised more: (attempt, when).
        self._alive: dict[int, tuple[int, float]] = {}
        #: Items that were blocked although their scheduler has them, until it is told.
        self.in_vain: list[WorkItem] = []
        #: The outputs that items had before their first attempt, of those that had any.
        self._outputs_before: dict[int, list[File]] = {}
        #: Batches about which something changed, to be looked at once the event is carried out.
        self.batches: deque[WorkItem] = deque()
        self._out: list[ins.Instruction] = []

    def all_items(self) -> Iterator[WorkItem]:
        """Every item of the wanted nodes, node by node."""
        for node in self.nodes.values():
            yield from node.node.items

    def know_scheduler(self, scheduler: SchedulerState) -> None:
        """Take a scheduler into the cook, before the first item that needs it."""
        scheduler.resources = self.resources
        self.schedulers[scheduler.name] = scheduler

    def drain_changes(self) -> list[Change]:
        """The state changes since the last call, in order."""
        changes, self.changes = self.changes, []
        return changes

    def drain_completed(self) -> list[WorkItem]:
        """The automatic items that were done since the last call, in order."""
        completed, self.completed = self.completed, []
        return completed

    def drain_problems(self) -> list[tuple[WorkItem, str]]:
        """The contradictions noted since the last call."""
        problems, self.problems = self.problems, []
        return problems

    # ------------------------------------------------------------------ the step

    def move(self, item: WorkItem, trigger: Trigger, at: float) -> bool:
        """Apply one row of the table; answers whether the item moved. Raises ``InvalidTransition`` without a row."""
        step = STEPS[item.phase].get(trigger)
        if step is None:
            raise InvalidTransition(item.id, Phase(item.phase).name, trigger.value, self.story.of(item.id))
        before, after, mark, moves, new, means, ends = step
        self.tell((at, item.id, before, trigger, after, mark))
        if not moves:
            if mark == "problem":
                self.problems.append((item, f"{trigger.value} contradicts what was reported: it {_stands(before)}"))
            return False
        item.phase = after
        if new is not None:
            self.changes.append((item, item.state, new, at))
            item.state = new
        if item.batch_parent is not None:
            # Its batch has the place in the queue and counts as the one job that it is.
            self._count_in_batch(item.batch_parent, before, after)
        elif means:
            self._count_at_scheduler(item, means)
        if item.batch is not None:
            self.batches.append(item)
        if ends:
            self._settled(item, after, at)
        elif after is Phase.UNCOOKED and before is not Phase.BLOCKED:
            self._count(item, -1)
        return True

    def _count_at_scheduler(self, item: WorkItem, means: int) -> None:
        scheduler = self.schedulers[item.scheduler]
        if means == TAKEN:
            scheduler.in_flight += 1
            if self.resources is not None:
                self.resources.hold(item)
        elif means == QUEUED:
            scheduler.push(item)
        else:
            scheduler.in_flight -= 1
            if self.resources is not None:
                self.resources.give_back(item)
            if means == FREED:
                scheduler.has_room_now()

    def _count_in_batch(self, parent: WorkItem, before: Phase, after: Phase) -> None:
        batch = parent.batch
        assert batch is not None  # noqa: S101 - what has sub-items is a batch
        for phase, change in ((before, -1), (after, 1)):
            if phase is Phase.WAITING:
                batch.waiting += change
            elif phase is Phase.READY:
                batch.ready += change
            elif phase is Phase.CHECKING:
                batch.checking += change
            elif phase in LOST:
                batch.lost += change
        if parent.phase not in SETTLED:
            self.batches.append(parent)

    def _settled(self, item: WorkItem, after: Phase, at: float) -> None:
        node = self.nodes[item.node.name]
        node.unsettled -= 1
        self.unsettled -= 1
        if node.unsettled == 0:
            self._dirty[node.node.name] = None
        if after is _SUCCESS or after in DONE_WELL:
            if node.outputs:
                self._feed_outputs(node, item)
            if item.dependents:
                self._released.append(item)
                if not self._releasing:
                    self._release_dependents(at)
        elif after in DONE_BADLY:
            if after is Phase.FAILED:
                self._count_failure(item)
            self._block_dependents(item, at)

    def _count(self, item: WorkItem, change: int) -> None:
        self.nodes[item.node.name].unsettled += change
        self.unsettled += change

    def _feed_outputs(self, node: NodeState, item: WorkItem) -> None:
        for output in node.outputs:
            if output.when is GenerateWhen.EachUpstreamCooked:
                output.fresh.append(item)
                self._dirty[output.node.name] = None

    def _release_dependents(self, at: float) -> None:
        # A worklist: an automatic item completes inside, and chains of any length must not recurse.
        self._releasing = True
        nodes, released = self.nodes, self._released
        while released:
            for dependent in released.popleft().dependents or ():
                left = dependent.pending = dependent.pending - 1
                parent = dependent.batch_parent
                if (left and parent is None) or dependent.phase != _WAITING or dependent.node.name not in nodes:
                    continue
                if left == 0:
                    self._ready(dependent, at)
                elif parent is not None and parent.phase == _WAITING:
                    # It may still wait for others of its batch only, which does not hold that up.
                    self.batches.append(parent)
        self._releasing = False

    def _ready(self, item: WorkItem, at: float) -> None:
        if self.remembers and item.id not in self._looked_up and self._is_looked_up(item):
            self._looked_up.add(item.id)
            self.to_recall.append(item)
            self.move(item, Trigger.RECALL, at)
        elif int(item.traits) & _AUTOMATIC:
            self._done_by_itself(item, Trigger.COMPLETE, at)
        elif item.phase == _WAITING and item.batch_parent is None and item.batch is None:
            # The step from here, without all that it might have been: every item takes it.
            self.tell((at, item.id, _WAITING, _RELEASE, _READY, ""))
            item.phase = _READY
            self.schedulers[item.scheduler].push(item)
        else:
            self.move(item, _RELEASE, at)

    def _is_looked_up(self, item: WorkItem) -> bool:
        """A sub-item is looked up by itself where its job can leave it out, as long as that is not given away."""
        parent = item.batch_parent
        if parent is None:
            return True
        assert parent.batch is not None  # noqa: S101 - what has sub-items is a batch
        return parent.batch.apart and parent.phase in {Phase.WAITING, Phase.CHECKING}

    def _done_by_itself(self, item: WorkItem, trigger: Trigger, at: float) -> None:
        """An item that cooks nothing is done by itself."""
        run = item.ran()
        run.queued = run.started = run.finished = at
        run.duration = 0.0
        self.completed.append(item)
        self.move(item, trigger, at)

    def _block_dependents(self, item: WorkItem, at: float) -> None:
        todo = [item]
        while todo:
            for dependent in todo.pop().dependents or ():
                if dependent.phase in _BLOCKABLE and dependent.node.name in self.nodes:
                    self._block_one(dependent, at)
                    todo.append(dependent)

    def _block_one(self, item: WorkItem, at: float) -> None:
        if item.phase == Phase.HANDED_OVER and item.batch_parent is None:
            self.in_vain.append(item)
        self.move(item, Trigger.BLOCK, at)

    # ------------------------------------------------------------------ joining and leaving

    def add_items(self, node: NodeState, items: list[WorkItem]) -> None:
        """Take new items of a node into the cook; ``link_item`` counts what each waits for once all are added."""
        node.unsettled += len(items)
        self.unsettled += len(items)
        waiting, needed, remembers = STATE_OF[_WAITING], self.needed, self.remembers
        for item in items:
            item.phase = _WAITING
            item.state = waiting
            item.pending = 0
            if item.batch is not None:
                batch = item.batch
                batch.first = batch.waiting = batch.checking = batch.ready = batch.lost = 0
            elif item.batch_parent is not None and item.batch_parent.batch is not None:
                item.batch_parent.batch.waiting += 1
            if remembers:
                continue
            if not int(item.traits) & _AUTOMATIC:
                needed.add(item.scheduler)

    def link_item(self, item: WorkItem) -> None:
        """Count an added item's dependencies, then let it move as far as they allow; a batch goes by its sub-items."""
        if item.batch is not None:
            self.batches.append(item)
            return
        nodes = self.nodes
        pending = 0
        hopeless = False
        for dependency in item.dependencies:
            phase = dependency.phase
            if phase not in DONE_WELL:
                pending += 1
                if phase in SETTLED:
                    hopeless = True
                elif not phase or dependency.node.name not in nodes:
                    # Uncooked.
                    node = nodes.get(dependency.node.name)
                    if node is not None and node.joining:
                        # It comes with the next items of its node.
                        continue
                    self._note_reason(item, f'it waits for "{dependency.name}", which is not part of this cook')
                    hopeless = True
        item.pending = pending
        if hopeless:
            if item.phase == _WAITING:
                self.block(item)
        elif pending == 0 and item.phase == _WAITING:
            self._ready(item, self.now)

    def block(self, item: WorkItem) -> None:
        """Block an item, and all that wait for it."""
        self._block_one(item, self.now)
        self._block_dependents(item, self.now)

    def take_back(self, item: WorkItem, trigger: Trigger, at: float) -> None:
        """End an item by the cook's own decision; it ended now, as far as anybody knows."""
        if trigger in FAILURES:
            trigger = self._failed_by(item, trigger, at)
        if self.move(item, trigger, at):
            self._note_end(item, at)
            if item.phase == Phase.DELAYED:
                self._put_off(item, at)

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
        if self._ending and item.id in self._ending:
            self._read_end(event)
            trigger = event.trigger
        if event.reason:
            self._note_reason(item, event.reason)
        if trigger in FAILURES and item.phase in HELD:
            trigger = self._failed_by(item, trigger, at, event.exit_status)
        if not self.move(item, trigger, at):
            self._wake_if_due(item)
            return
        if item.phase == _COOKING:
            self._note_start(item, at)
        elif item.phase in SETTLED:
            self._note_end(item, at, event.duration, event.exit_status)
        elif item.phase == Phase.DELAYED:
            self._note_end(item, at, event.duration, event.exit_status)
            self._put_off(item, at)
        elif trigger in GIVEN_BACK:
            # Nobody took it, so the number was not used up.
            item.attempt -= 1
            if item.batch is not None:
                self.bring_back(item, at)
            if item.id in self._doomed:
                self.take_back(item, Trigger.CANCEL_ORDER, at)

    def _ignore(self, item: WorkItem, trigger: Trigger, at: float, why: str) -> None:
        phase = Phase(item.phase)
        self.tell((at, item.id, phase, trigger, phase, why))

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

    # ------------------------------------------------------------------ what becomes of failures: see failing.py

    def _failed_by(self, item: WorkItem, trigger: Trigger, at: float, exit_status: int | None = None) -> Trigger:
        raise NotImplementedError

    def _put_off(self, item: WorkItem, at: float) -> None:
        raise NotImplementedError

    def _count_failure(self, item: WorkItem) -> None:
        raise NotImplementedError

    def _wake_if_due(self, item: WorkItem) -> None:
        raise NotImplementedError

    def _read_end(self, event: ev.ItemEvent) -> None:
        raise NotImplementedError

    def _watch(self, item: WorkItem, at: float) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------------ when it began and ended

    def _note_start(self, item: WorkItem, at: float) -> None:
        if self.policies is not None:
            self._watch(item, at)
        run = item.run or item.ran()
        run.started = at
        run.finished = run.duration = run.exit_status = None

    def _note_end(
        self, item: WorkItem, at: float, duration: float | None = None, exit_status: int | None = None
    ) -> None:
        run = item.run or item.ran()
        run.finished = at
        run.exit_status = exit_status
        if duration is None and run.started is not None:
            # A start may be read after the end that was noted before it.
            duration = max(0.0, at - run.started)
        run.duration = duration


def _stands(phase: Phase) -> str:
    return "is cooking" if phase is Phase.COOKING else f"ended as {phase.name.lower()}"
