"""Plans a static hand-over: which items go as one array, and what each array waits for on Slurm.

Pure. What Slurm is told is what the graph says: an item never begins before all that it needs has succeeded, and waits
for nothing else. Items for which Slurm has no words wait with the cook.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from topcook_slurm.ids import ranges

__all__ = ["LONGEST", "WIDEST", "Need", "Plan", "PlannedArray", "make_plan"]

#: Slurm takes no more characters for the tasks of an array than 4096, with how many of them may run at a time.
WIDEST = 4080
#: So many jobs and tasks in one list of dependencies at most: it is a single word of a command line, of 128 KiB.
LONGEST = 4000


class Need(NamedTuple):
    """What an array waits for: all of another one, one task of it, or (``each``) each task for that of its number."""

    #: The other array's place in the plan.
    array: int
    task: int | None = None
    each: bool = False


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """Items that are submitted together. ``tasks`` are their numbers in the array; a single item is a plain job."""

    items: tuple[int, ...]
    tasks: tuple[int, ...]
    needs: tuple[Need, ...]


@dataclass(slots=True)
class Plan:
    """Arrays, each behind what it waits for, and the items that are submitted when what they need is done."""

    arrays: list[PlannedArray] = field(default_factory=list)
    later: list[int] = field(default_factory=list)

    @property
    def one_by_one(self) -> bool:
        """Whether each array waits for the whole of the one before it: no two ever run at a time."""
        follows = (Need(place) in array.needs for place, array in enumerate(self.arrays[1:]))
        return not self.later and all(follows)


class _Place(NamedTuple):
    array: int
    task: int


class _Kind(NamedTuple):
    """What items of one array have in common: the arrays that they follow task by task, and needs that are the same."""

    followed: tuple[int, ...]
    common: frozenset[int]


def make_plan(
    needs: Mapping[int, Collection[int]],
    group_of: Mapping[int, Hashable],
    number_of: Mapping[int, int],
    most: int,
    longest: int = LONGEST,
) -> Plan:
    """Plan the submission of items, by id.

    ``needs`` has every item, with the items among these that it needs; ``group_of`` says who may share an array, and
    ``number_of`` which number an item has in its group, so that tasks of equal numbers belong together where nothing
    else says so. ``most`` is one more than the largest number of a task, and the most tasks of an array.
    """
    planner = _Planner(needs, number_of, most, longest)
    for level in _levels(needs):
        groups: dict[Hashable, list[int]] = {}
        for item in level:
            groups.setdefault(group_of[item], []).append(item)
        for group in groups.values():
            planner.add(group)
    # What waits in a circle stands on no level.
    planned = {item for array in planner.plan.arrays for item in array.items} | set(planner.plan.later)
    planner.plan.later += [item for item in needs if item not in planned]
    return planner.plan


def _levels(needs: Mapping[int, Collection[int]]) -> Iterator[list[int]]:
    """Items that need nothing, those that need only these, and so on."""
    left = {item: len(set(needed)) for item, needed in needs.items()}
    dependents: dict[int, list[int]] = {}
    for item, needed in needs.items():
        for each in set(needed):
            dependents.setdefault(each, []).append(item)
    level = [item for item, count in left.items() if count == 0]
    while level:
        yield level
        following = []
        for item in level:
            for dependent in dependents.get(item, ()):
                left[dependent] -= 1
                if left[dependent] == 0:
                    following.append(dependent)
        level = following


class _Planner:
    """Adds items whose needs are all planned."""

    def __init__(
        self, needs: Mapping[int, Collection[int]], number_of: Mapping[int, int], most: int, longest: int
    ) -> None:
        self._needs, self._number_of, self._most, self._longest = needs, number_of, most, longest
        self._places: dict[int, _Place] = {}
        self.plan = Plan()

    def add(self, group: Sequence[int]) -> None:
        """Plan items of one group that do not need each other."""
        kinds: dict[_Kind, list[tuple[int | None, int]]] = {}
        for item in group:
            if any(needed not in self._places for needed in self._needs[item]):
                self.plan.later.append(item)
                continue
            kind, task = self._kind_of(item)
            kinds.setdefault(kind, []).append((task, item))
        for kind, members in kinds.items():
            by_task: dict[int | None, list[int]] = {}
            for task, item in members:
                by_task.setdefault(task, []).append(item)
            rows = max(map(len, by_task.values()))
            if len(by_task) > 1 and rows < len(by_task):
                self._follow(kind, by_task, rows)
            else:
                for items in by_task.values():
                    self._together(items)

    def _kind_of(self, item: int) -> tuple[_Kind, int | None]:
        """What it has in common with others, and the task that it follows; ``None`` where it follows none."""
        by_array: dict[int, list[int]] = {}
        for needed in self._needs[item]:
            by_array.setdefault(self._places[needed].array, []).append(needed)
        task: int | None = None
        followed = []
        common: list[int] = []
        for array in sorted(by_array):
            its = by_array[array]
            its_task = self._places[its[0]].task
            if len(its) == 1 and len(self.plan.arrays[array].items) > 1 and task in {None, its_task}:
                task = its_task
                followed.append(array)
            else:
                common += its
        return _Kind(tuple(followed), frozenset(common)), task

    def _follow(self, kind: _Kind, by_task: Mapping[int | None, list[int]], rows: int) -> None:
        """An array in which each task waits for that of its number; as many of these as one task has followers."""
        needs = [Need(array, each=True) for array in kind.followed] + self._words(kind.common)
        for row in range(rows):
            chosen = [(task, items[row]) for task, items in by_task.items() if task is not None and len(items) > row]
            if len(chosen) == 1:
                # A single item is no task of anything.
                self._together([chosen[0][1]])
            else:
                self._append([item for _, item in chosen], [task for task, _ in chosen], needs)

    def _together(self, items: Sequence[int]) -> None:
        """Arrays of items that need the same."""
        needs = self._words(self._needs[items[0]])
        for numbers, chunk in self._chunks(items):
            self._append(chunk, numbers, needs)

    def _chunks(self, items: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
        numbers = [self._number_of[item] for item in items]
        if len(set(numbers)) < len(numbers) or min(numbers) < 0:
            numbers = list(range(len(items)))
        chunks: dict[int, tuple[list[int], list[int]]] = {}
        for number, item in sorted(zip(numbers, items, strict=True)):
            tasks, chunk = chunks.setdefault(number // self._most, ([], []))
            tasks.append(number % self._most)
            chunk.append(item)
        if any(len(ranges(tasks)) > WIDEST for tasks, _ in chunks.values()):
            # Too many gaps. By what number they go is all the same.
            yield from self._without_gaps(items)
        else:
            yield from chunks.values()

    def _without_gaps(self, items: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
        for start in range(0, len(items), self._most):
            chunk = list(items[start : start + self._most])
            yield list(range(len(chunk))), chunk

    def _words(self, needed: Iterable[int]) -> list[Need]:
        """Whole arrays where all of their tasks are needed, else task by task."""
        by_array: dict[int, set[int]] = {}
        for item in needed:
            place = self._places[item]
            by_array.setdefault(place.array, set()).add(place.task)
        words: list[Need] = []
        for array, tasks in sorted(by_array.items()):
            if len(tasks) == len(self.plan.arrays[array].items):
                words.append(Need(array))
            else:
                words += [Need(array, task) for task in sorted(tasks)]
        return words

    def _append(self, items: Sequence[int], tasks: Sequence[int], needs: Sequence[Need]) -> None:
        if len(needs) > self._longest or len(ranges(tasks)) > WIDEST:
            self.plan.later += items
            return
        place = len(self.plan.arrays)
        self.plan.arrays.append(PlannedArray(tuple(items), tuple(tasks), tuple(needs)))
        self._places.update((item, _Place(place, task)) for item, task in zip(items, tasks, strict=True))
