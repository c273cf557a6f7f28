"""When each node makes its work items: before the cook, or during it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import Problem, ProblemsError
from topcook.lean import dataclass
from topcook.model.enums import GenerateWhen
from topcook.model.node import NodeType
from topcook.runtime.generation_problems import parm_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from topcook.model.node import Node

__all__ = ["PARM", "Plan", "generate_when", "plan_generation"]

#: The parm that asks, and what may stand in it. The numbers are those of Houdini's menu.
PARM = "pdg_workitemgeneration"
ASKED: dict[str, GenerateWhen] = {
    "automatic": GenerateWhen.Automatic,
    "allgenerated": GenerateWhen.AllUpstreamGenerated,
    "static": GenerateWhen.AllUpstreamGenerated,
    "allcooked": GenerateWhen.AllUpstreamCooked,
    "eachcooked": GenerateWhen.EachUpstreamCooked,
    "dynamic": GenerateWhen.EachUpstreamCooked,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """When a node generates; ``static`` nodes do so before the cook."""

    when: GenerateWhen
    static: bool


def plan_generation(nodes: Iterable[Node], class_of: Callable[[Node], type]) -> dict[Node, Plan]:
    """The plan of each node; ``class_of`` gives a node's type object.

    A node is static when all of its inputs are, and it does not wait for cooked items itself.
    Raises ``ProblemsError`` with every parm that asks for something unknown. The network has no loops.
    """
    plans: dict[Node, Plan] = {}
    problems: list[Problem] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        missing = [other for other in node.inputs if other not in plans]
        if missing:
            waiting += [node, *missing]
        elif node not in plans:
            dynamic = any(not plans[other].static for other in node.inputs)
            try:
                when = generate_when(node, class_of(node), dynamic_inputs=dynamic)
            except ProblemsError as error:
                problems += error.problems
                when = GenerateWhen.AllUpstreamGenerated
            plans[node] = Plan(when, when is GenerateWhen.AllUpstreamGenerated and not dynamic)
    if problems:
        raise ProblemsError(problems)
    return plans


def generate_when(node: Node, cls: type, *, dynamic_inputs: bool) -> GenerateWhen:
    """When ``node`` generates: as its parm asks, else as its class says, else by its inputs.

    Without a say, a processor generates from each item of dynamic inputs as it cooks, a partitioner or mapper when
    all of them have. A class has its say by a static method ``generateWhen(asked, dynamic_inputs, node)`` that
    gets what the parm asks for and answers a ``pdg.generateWhen``, ``Automatic`` for "the usual".
    A node without inputs always generates before the cook.
    """
    asked = _asked(node)
    if not node.inputs:
        return GenerateWhen.AllUpstreamGenerated
    own = getattr(cls, "generateWhen", None)
    if own is not None:
        asked = own(asked, dynamic_inputs, node)
    each = GenerateWhen.EachUpstreamCooked
    if node.kind is not NodeType.Processor:
        each = GenerateWhen.AllUpstreamCooked
    if asked is GenerateWhen.Automatic:
        return each if dynamic_inputs else GenerateWhen.AllUpstreamGenerated
    return each if asked is GenerateWhen.EachUpstreamCooked else asked


def _asked(node: Node) -> GenerateWhen:
    parm = node.parms.get(PARM)
    value = parm.at(0) if parm is not None else GenerateWhen.Automatic
    if isinstance(value, GenerateWhen):
        return value
    text = str(value).strip().lower()
    if text in ASKED or not text:
        return ASKED.get(text, GenerateWhen.Automatic)
    if text.isdigit() and int(text) < len(GenerateWhen):
        return GenerateWhen(int(text))
    path, line = parm_place(node, [PARM])
    raise ProblemsError(
        [
            Problem(
                "generation",
                f'node "{node.name}": "{PARM}" is {value!r}',
                path,
                line,
                hint=f"it may be: {', '.join(ASKED)}, or 0 to {len(GenerateWhen) - 1}",
            )
        ]
    )
