"""What a cook is to cook: the wanted nodes, what they need, and that nothing there waits for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import CycleError
from topcook.model.graphfile.cycles import find_cycles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topcook.model.node import Node


def with_ancestors(wanted: Sequence[Node]) -> list[Node]:
    """The wanted nodes and all they depend on, inputs first."""
    order: dict[Node, None] = {}
    todo = list(reversed(wanted))
    while todo:
        node = todo[-1]
        missing = [source for source in node.inputs if source not in order]
        if node in order or not missing:
            todo.pop()
            order.setdefault(node)
        else:
            todo += reversed(missing)
    return list(order)


def check_items(nodes: Iterable[Node]) -> None:
    """Refuse items, as far as they exist already, that wait for themselves; raises ``CycleError``."""
    items = [item for node in nodes for item in node.items]
    number = {item: place for place, item in enumerate(items)}
    cycles = find_cycles([[number[needed] for needed in item.dependencies if needed in number] for item in items])
    if cycles:
        names = [items[place].name for place in cycles[0]]
        raise CycleError([*names, names[0]])


def path_between(start: Node, goal: Node) -> list[str] | None:
    """The names on a way along outputs from ``start`` to ``goal``, ``None`` when there is none."""
    came: dict[Node, Node | None] = {start: None}
    todo = [start]
    while todo:
        node = todo.pop()
        if node is goal:
            names: list[str] = []
            step: Node | None = node
            while step is not None:
                names.append(step.name)
                step = came[step]
            return names[::-1]
        for follower in node.outputs:
            if follower not in came:
                came[follower] = node
                todo.append(follower)
    return None
