"""What a cook is to cook: the wanted nodes, what they need, and that nothing there waits for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import CycleError
from topcook.machine.nodes import NodeState
from topcook.model.graphfile.cycles import find_cycles
from topcook.model.node import NodeType
from topcook.runtime.generation_when import plan_generation
from topcook.runtime.link import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from topcook.model.node import Node
    from topcook.runtime.graph import Graph


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


def node_states(nodes: Sequence[Node], node_class: Callable[[Node], type]) -> Iterable[NodeState]:
    """What the machine is to know of each node; raises ``ProblemsError`` for one that cannot generate."""
    plans = plan_generation(nodes, node_class)
    states = {
        node: NodeState(
            node,
            plans[node].when,
            partitioner=node.kind is not NodeType.Processor,
            static=plans[node].static,
            prepared=bool(node.items),
        )
        for node in nodes
    }
    for node, state in states.items():
        state.link(states[source] for source in node.inputs)
    return states.values()


def idle_schedulers(graph: Graph, used: Collection[str]) -> Iterator[Message]:
    """Warnings of a network that declares a scheduler and names it nowhere: it cooks with a default nobody meant."""
    network = graph.network
    if (
        graph.choice.default
        or graph.choice.profile_default
        or network.default_scheduler
        or network.in_process_scheduler
    ):
        return
    implicit = {network.schedulers[name].type_name for name in used if name.startswith("pdg_")}
    for name, node in network.schedulers.items():
        if not node.implicit and name not in used and node.type_name in implicit:
            yield Message(
                "warning",
                name,
                f'no node is cooked by the scheduler "{name}"; a default {node.type_name} is used instead\n'
                f'    to use it for all nodes, write scheduler = "{name}" in [network]',
            )


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
