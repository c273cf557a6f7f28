"""Gives all static items to Slurm at once, as arrays that wait for each other there.

Slurm then drives them: the machine that cooks may go away. What it drives no more, because something failed that is
tried again or holds nothing up, waits here until all that it needs is done, and is submitted by itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pdg
from topcook.author import report
from topcook.author.farm import EngineError, FarmJob, tick_soon
from topcook.author.farm.waiting import declared_outputs, jobs_at_once, may_begin
from topcook_slurm.commands import QueueFullError
from topcook_slurm.ids import ranges
from topcook_slurm.plan import WIDEST, Plan, PlannedArray, make_plan
from topcook_slurm.submissions import FIRST_PAUSE, LONGEST_PAUSE, Submission, Submissions

__all__ = ["StaticHandOver"]

#: Seconds of submitting, until what else the scheduler has to do gets its turn.
_AT_A_TIME = 1.0
_DONE = frozenset({pdg.workItemState.CookedSuccess, pdg.workItemState.CookedCache})
_ENDED = _DONE | {pdg.workItemState.CookedFail, pdg.workItemState.CookedCancel}
_WELL = _DONE | {pdg.workItemState.Scheduled, pdg.workItemState.Cooking}


class StaticHandOver:
    """What one ``onScheduleStatic`` gave; use it on the scheduler's own thread.

    ``make`` gives the job of an item, ``words_of`` how many of its array may run at a time and the options of that
    (``None``: it was told as failed). ``offer`` submits an item by itself, ``cancel`` ends the jobs of items.
    """

    def __init__(
        self,
        scheduler: Any,
        submissions: Submissions,
        *,
        make: Callable[[Any], FarmJob],
        words_of: Callable[[Any], tuple[int, tuple[str, ...]] | None],
        offer: Callable[[Any], None],
        cancel: Callable[[Sequence[Any]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing was handed over."""
        self._scheduler = scheduler
        self._submissions = submissions
        self._make, self._words_of, self._offer, self._cancel = make, words_of, offer, cancel
        self._clock = clock
        self._items: dict[int, Any] = {}
        self._needs: dict[int, list[int]] = {}
        self._dependents: dict[int, list[int]] = {}
        #: Ids of items whose jobs on Slurm end as the items do: what needs them can wait for these.
        self._bound: set[int] = set()
        #: Items that wait here, by id.
        self._held: dict[int, Any] = {}
        self._options: dict[int, tuple[int, tuple[str, ...]]] = {}
        self._plan = Plan()
        self._queue: deque[int] = deque()
        self._sent: dict[int, Submission] = {}
        #: The first of the queue, where Slurm may have got it although nobody heard its answer.
        self._unheard: Submission | None = None
        self._next, self._pause, self._told = 0.0, FIRST_PAUSE, False
        self._told_full = False
        #: Of all arrays together, where ``pdg_maxtasks`` says so.
        self._at_once = 0

    def begin(self, dependencies: Mapping[Any, Iterable[Any]], most: int) -> None:
        """Take the items, and submit them, in arrays of so many tasks at most."""
        plain: dict[int, list[int]] = {}
        for handle, needed in dependencies.items():
            item = handle.id
            self._items[item] = handle
            self._needs[item] = [each.id for each in needed]
            for each in self._needs[item]:
                self._dependents.setdefault(each, []).append(item)
            words = self._words_of(handle)
            if words is None:
                continue
            self._options[item] = words
            if any(word.startswith(("-d", "--dep")) for word in words[1]):
                # The user's own dependency, and there can only be one.
                self._held[item] = handle
            else:
                plain[item] = self._needs[item]
        groups = {item: (self._items[item].node.name, self._options[item]) for item in plain}
        self._plan = make_plan(plain, groups, {item: self._items[item].index for item in plain}, most)
        self._held |= {item: self._items[item] for item in self._plan.later}
        self._bound |= {item for array in self._plan.arrays for item in array.items}
        self._queue = deque(range(len(self._plan.arrays)))
        self._limit()
        self.tick()

    def adopt(self, items: Iterable[Any]) -> None:
        """Slurm has these of an earlier session: what that session had it wait for may never have come."""
        adopted = {item.id: item for item in items}
        self._items |= adopted
        self._bound |= adopted.keys()

    def tick(self) -> None:
        """Submit what is next, and what waits here and may begin; to be called in ``onTick``."""
        if self._queue and self._clock() >= self._next:
            self._submit()
        for item, handle in list(self._held.items()):
            if handle.state in _ENDED:
                del self._held[item]
            elif may_begin(handle):
                del self._held[item]
                self._offer(handle)

    def retried(self, item: int) -> None:
        """An item comes again: on Slurm nothing can wait for it any more."""
        if item in self._items:
            self._bound.discard(item)
            self._hold(self._behind(item))

    def cut_off(self, item: int) -> bool:
        """Slurm will never begin this item's job: whether that is because it waited there, and it now waits here."""
        if item not in self._items or (item not in self._bound and item not in self._held):
            return False
        self._hold([item, *self._behind(item)])
        return True

    def holds(self, item: int) -> bool:
        """Whether an item waits here, whatever Slurm says of the job that it had."""
        return item in self._held

    def drop(self, items: Iterable[int]) -> None:
        """Nobody wants these any more."""
        for item in items:
            self._items.pop(item, None)
            self._held.pop(item, None)
            self._bound.discard(item)
            if self._unheard is not None:
                self._unheard.unwanted.add(item)

    def drop_all(self) -> list[Submission]:
        """Submit nothing more; answers with what may have reached Slurm unheard."""
        self._queue.clear()
        self._held.clear()
        return [self._unheard] if self._unheard is not None else []

    # -- inside ---------------------------------------------------------------------------------------------------

    def _behind(self, item: int) -> list[int]:
        """All that needs it, directly or not."""
        found: dict[int, None] = {}
        todo = [item]
        while todo:
            for each in self._dependents.get(todo.pop(), ()):
                if each not in found:
                    found[each] = None
                    todo.append(each)
        return list(found)

    def _hold(self, items: Iterable[int]) -> None:
        """Have items wait here; what Slurm has of them is ended."""
        held = {item: self._items[item] for item in items if item in self._bound and item in self._items}
        held = {item: handle for item, handle in held.items() if handle.state not in _ENDED}
        self._bound -= held.keys()
        self._held |= held
        if self._unheard is not None:
            self._unheard.unwanted |= held.keys()
        if held:
            self._cancel(list(held.values()))

    def _submit(self) -> None:
        until = self._clock() + _AT_A_TIME
        try:
            while self._queue and self._clock() < until:
                self._submit_array(self._queue[0], self._plan.arrays[self._queue[0]])
                self._queue.popleft()
                self._pause, self._told = FIRST_PAUSE, False
        except EngineError as error:
            self._next = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            if not self._told:
                self._told = True
                count = sum(len(self._plan.arrays[each].items) for each in self._queue)
                self._scheduler.cookWarning(f"{error}\n    {count} jobs wait to be submitted; it is tried again")
        if self._queue:
            tick_soon(self._scheduler, max(0.0, self._next - self._clock()))

    def _submit_array(self, place: int, array: PlannedArray) -> None:
        """Submit the items whose needs are bound still; the others wait here."""
        self._hold([item for item in array.items if not all(map(self._stands, self._needs[item]))])
        if self._unheard is not None and self._submissions.arrived(self._unheard):
            self._settle(place, self._unheard)
            return
        jobs, tasks = self._jobs_of(array)
        if len(ranges(tasks)) > WIDEST:
            # So many of it are gone that Slurm would not take the list of the others.
            self._hold([job.item for job in jobs])
            jobs = []
        if not jobs:
            self._unheard = None
            return
        simultaneous, words = self._options[jobs[0].item]
        limits = [each for each in (simultaneous, self._at_once) if each > 0]
        submission = Submission(
            jobs,
            words,
            min(limits, default=0),
            tasks=tasks if len(array.items) > 1 else None,
            depends=self._depends(array),
        )
        if self._unheard is not None and submission.is_like(self._unheard):
            # Under the name that it has, in case that comes through after all.
            submission = self._unheard
        self._unheard = submission
        try:
            self._submissions.now(submission)
        except QueueFullError as error:
            # It may be more than ever fits: by itself each of them does.
            submission.unbound = True
            self._tell_full(error)
        self._settle(place, submission)

    def _limit(self) -> None:
        """Each array keeps to ``pdg_maxtasks``; Slurm has no word for several of them together."""
        self._at_once = jobs_at_once(self._scheduler)
        if 0 < self._at_once < sum(len(array.items) for array in self._plan.arrays) and not self._plan.one_by_one:
            self._scheduler.cookWarning(
                f"pdg_maxtasks: at most {self._at_once} jobs of each array run at a time, but there are"
                f" {len(self._plan.arrays)} arrays, and some may run beside others\n"
                f"    where it is to hold for all of them: --no-static {self._scheduler.name}"
            )

    def _tell_full(self, error: QueueFullError) -> None:
        if not self._told_full:
            self._told_full = True
            left = sum(len(self._plan.arrays[each].items) for each in self._queue)
            self._scheduler.cookWarning(
                f"{error}\n    of {left} items those without room there are submitted by this cook, when they are ready"
            )

    def _jobs_of(self, array: PlannedArray) -> tuple[list[FarmJob], list[int]]:
        """The jobs of those of an array that can be submitted, with their tasks; the others are told as failed."""
        jobs, tasks = [], []
        for item, task in zip(array.items, array.tasks, strict=True):
            if item not in self._bound:
                continue
            handle = self._items[item]
            try:
                job = self._make(handle)
                job.spec["expects"] = declared_outputs(self._scheduler, handle)
            except Exception as error:  # noqa: BLE001 - nobody hears what a tick raises of an item
                self._bound.discard(item)
                report(self._scheduler, handle).failed(f"its job cannot be made: {type(error).__name__}: {error}")
                continue
            jobs.append(job)
            tasks.append(task)
        return jobs, tasks

    def _stands(self, need: int) -> bool:
        """Whether what Slurm does with a job is what becomes of the item: of one that is unknown it thinks well."""
        return need in self._bound and self._items[need].state in _WELL

    def _settle(self, place: int, submission: Submission) -> None:
        self._unheard = None
        if submission.job:
            self._sent[place] = submission
            return
        items = [job.item for job in submission.jobs]
        if submission.unbound:
            self._hold(items)
        self._bound.difference_update(items)

    def _depends(self, array: PlannedArray) -> str:
        """What Slurm is told that the array waits for."""
        words: dict[str, list[str]] = {}
        for need in array.needs:
            job = self._sent[need.array].job
            kind = "aftercorr" if need.each else "afterok"
            words.setdefault(kind, []).append(job if need.task is None else f"{job}_{need.task}")
        return ",".join(":".join([kind, *jobs]) for kind, jobs in words.items())
