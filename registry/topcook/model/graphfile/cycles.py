"""Finding loops in a graph of a million items: whatever waits for itself, and an order for all that does not."""

from __future__ import annotations

from collections.abc import Sequence

_CHAIN_SHOWN = 12


def find_cycles(waits_for: Sequence[Sequence[int]], most: int = 50) -> list[list[int]]:
    """Loops among ``0 … n-1``, each as the chain of those who wait for the next, starting at its lowest number.

    Everything that can finish is taken away first; in what is left, each member waits for another one that is left,
    so that walking on must come round. Loops that share no member are all found, up to ``most`` of them.
    """
    if all(number > needed for number, needs in enumerate(waits_for) for needed in needs):
        return []  # the usual file: everything waits only for what stands before it
    open_needs = [len(needs) for needs in waits_for]
    dependents: list[list[int]] = [[] for _ in waits_for]
    for number, needs in enumerate(waits_for):
        for needed in needs:
            dependents[needed].append(number)
    left = set(range(len(waits_for)))
    _finish([number for number, count in enumerate(open_needs) if not count], open_needs, dependents, left)
    cycles: list[list[int]] = []
    for number in sorted(left):
        if len(cycles) == most:
            break
        if number in left:
            cycle = _walk(number, waits_for, left)
            cycles.append(cycle)
            for member in cycle:
                open_needs[member] = 0
            _finish(cycle, open_needs, dependents, left)
    return cycles


def _finish(ready: list[int], open_needs: list[int], dependents: list[list[int]], left: set[int]) -> None:
    """Take what is ready out of ``left``, and all that becomes ready by it."""
    ready = list(ready)
    while ready:
        number = ready.pop()
        if number not in left:
            continue
        left.discard(number)
        for dependent in dependents[number]:
            open_needs[dependent] -= 1
            if not open_needs[dependent]:
                ready.append(dependent)


def _walk(start: int, waits_for: Sequence[Sequence[int]], left: set[int]) -> list[int]:
    """Walk from one member to one it waits for until a member comes again; the loop, from its lowest number on."""
    steps: dict[int, int] = {}
    number = start
    while number not in steps:
        steps[number] = len(steps)
        number = next(needed for needed in waits_for[number] if needed in left)
    cycle = list(steps)[steps[number] :]
    first = cycle.index(min(cycle))
    return cycle[first:] + cycle[:first]


def chain(names: Sequence[str]) -> str:
    """A loop as text, the first name again at its end; the middle of a long one is only counted."""
    shown = list(names)
    if len(shown) > _CHAIN_SHOWN:
        half = _CHAIN_SHOWN // 2
        shown = [*shown[:half], f"({len(names) - 2 * half} more)", *shown[-half:]]
    return " -> ".join([*shown, names[0]])
