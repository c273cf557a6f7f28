"""What a cook would run: the items known before it, each with its command, environment and scheduler.

No scheduler is made for it: ``onStart`` may connect to a farm. A plain ``PyScheduler`` stands in, with the parms of the
real one; where a type has methods of its own that could answer otherwise, the plan names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from topcook.contract.scheduler import PyScheduler
from topcook.contract.secrets import redact
from topcook.contract.source import is_authors
from topcook.contract.workitem import WorkItem as ItemHandle
from topcook.errors import ProblemsError
from topcook.factory import Kind
from topcook.factory.quiet import captured_output
from topcook.lean import dataclass, field
from topcook.model.directories import Directories
from topcook.model.workitem import Trait
from topcook.runtime.host import Host
from topcook.runtime.hostdoor import SchedulerHandle
from topcook.runtime.paths import working_directories
from topcook.runtime.workdir import support_mark

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem
    from topcook.runtime.api import GraphContext
    from topcook.runtime.cook import Cook
    from topcook.runtime.graph import Graph
    from topcook.runtime.resume import Memory

#: Methods of a scheduler that decide on commands, directories and environments.
DECIDING: tuple[str, ...] = (
    "workingDir",
    "tempDir",
    "scriptDir",
    "expandCommandTokens",
    "applicationBin",
    "pythonBin",
    "hythonBin",
    "_pythonBin",
    "_hythonBin",
    "addCommonJobEnvVars",
    "resolveBaseEnvironment",
    "workItemResultServerAddr",
)
#: What only a cook knows.
_ONLY_THEN = {"PDG_RESULT_SECRET": "<secret>", "PDG_ITEM_TOKEN": "<token>", "PDG_ITEM_ATTEMPT": "1"}
_COOK = "<cook>"
_ENVIRONMENT_PARM = re.compile(r"^(.+)_envmulti$")


@dataclass(slots=True)
class SchedulerPlan:
    """A scheduler of the plan: its directories as the farm sees them, and its own deciding methods."""

    name: str
    type_name: str
    origin: str
    directories: dict[str, str]
    own: list[str]


@dataclass(slots=True)
class ItemPlan:
    """An item of the plan; ``late`` when its command is put together only at hand-over."""

    item: WorkItem
    scheduler: str
    why: str
    command: str
    late: bool
    environment: dict[str, str]


@dataclass(slots=True)
class Plan:
    """The static items of a network, in the order of its nodes, and who would cook them."""

    context: GraphContext
    cook: Cook
    items: list[ItemPlan] = field(default_factory=list)
    schedulers: dict[str, SchedulerPlan] = field(default_factory=dict)

    def dynamic_nodes(self) -> list[str]:
        """The nodes that make their items during the cook."""
        return [name for name, node in self.cook.state.nodes.items() if not node.static]


def make_plan(
    context: GraphContext, nodes: Iterable[str] = (), *, quiet: bool = True, memory: Memory | None = None
) -> Plan:
    """Make the static items of ``nodes`` (as ``cook`` chooses them) and say how each would be run.

    ``memory`` tells who each item was in an earlier cook. ``quiet`` keeps what author code prints away.
    Raises ``ProblemsError`` with all problems when items cannot be made.
    """
    with captured_output() if quiet else nullcontext():
        cook = context.prepare(list(nodes), static_only=True, memory=memory)
        cook.run()
        if cook.outcome == "refused":
            raise ProblemsError(cook.generation_problems, "the work items cannot be made; nothing was run")
        plan = Plan(context, cook)
        stand_ins: dict[str, PyScheduler] = {}
        for node in cook.nodes:
            plan.items += [_plan_item(context.core, item, plan, stand_ins) for item in node.items]
    return plan


def _plan_item(graph: Graph, item: WorkItem, plan: Plan, stand_ins: dict[str, PyScheduler]) -> ItemPlan:
    if item.traits & Trait.AUTOMATIC:
        return ItemPlan(item, "", "nothing to cook", "", False, {})
    name, why = graph.choice.for_item(item)
    if name not in stand_ins:
        stand_ins[name] = _stand_in(graph, name)
        plan.schedulers[name] = _plan_scheduler(graph, name, stand_ins[name])
    scheduler, handle = stand_ins[name], ItemHandle(item, graph)
    command = redact(scheduler.expandCommandTokens(item.command, handle))
    late = bool(item.traits & Trait.LATE_COMMAND)
    return ItemPlan(item, name, why, command, late, _environment(scheduler, handle))


def _stand_in(graph: Graph, name: str) -> PyScheduler:
    node = graph.network.schedulers[name]
    host = Host(node, graph, graph.factory.scheduler(node.type_name), PyScheduler, static=False)
    host.directories = Directories(working_directories(graph, node), cook=_COOK)
    # Who only looks leaves nothing: there is no such directory, and there is not to be one.
    host.directories.made.add(support_mark(host.directories.script_dir(local=True)))
    host.ports_ready = True
    scheduler = host.instance = PyScheduler(SchedulerHandle(host), name)
    # With an address to give, nobody starts a server for it.
    scheduler.setWorkItemResultServerAddr("<result server>")
    return scheduler


def _plan_scheduler(graph: Graph, name: str, stand_in: PyScheduler) -> SchedulerPlan:
    node = graph.network.schedulers[name]
    record = graph.factory.find(Kind.SCHEDULER, node.type_name)
    directories = {
        "working": stand_in.workingDir(False),
        "temp": stand_in.tempDir(False),
        "scripts": stand_in.scriptDir(False),
        "data": stand_in.dataDir(False),
        "logs": stand_in.logDir(False),
    }
    cls = graph.factory.load(record) if record is not None else PyScheduler
    own = [method for method in DECIDING if is_authors(cls, method)]
    return SchedulerPlan(name, node.type_name, str(record.origin) if record is not None else "", directories, own)


def _environment(scheduler: PyScheduler, handle: ItemHandle) -> dict[str, str]:
    """The variables that the item's job gets beside those of the machine it runs on."""
    variables: dict[str, str] = {**handle.environment}
    prefixes = (_ENVIRONMENT_PARM.match(name) for name in scheduler.parameterNames)
    for match in prefixes:
        if match:
            variables.update(scheduler.resolveEnvParams(match.group(1), handle)[0])
    scheduler.addCommonJobEnvVars(variables, handle)
    variables.update({name: value for name, value in _ONLY_THEN.items() if name in variables})
    return {name: redact(str(value)) for name, value in sorted(variables.items())}


def plan_as_data(plan: Plan, items: Iterable[ItemPlan]) -> dict[str, Any]:
    """The plan as plain data for ``--json``; ``docs/command-line.md`` describes it."""
    from topcook.runtime.report import item_record

    kept = ("id", "name", "label", "index", "frame", "node", "outputs", "attributes", "dependencies")
    graph = plan.context.core
    return {
        "version": 1,
        "network": graph.network.name,
        "schedulers": {
            each.name: {
                "type": each.type_name,
                "origin": each.origin,
                "directories": each.directories,
                "own_methods": each.own,
            }
            for each in plan.schedulers.values()
        },
        "nodes": [
            {
                "name": node.name,
                "type": node.type_name,
                "static": plan.cook.state.nodes[node.name].static,
                "items": len(node.items),
            }
            for node in plan.cook.nodes
        ],
        "items": [
            {
                **{key: value for key, value in item_record(each.item).items() if key in kept},
                "expected_outputs": [file.path for file in each.item.expected_outputs or ()],
                "scheduler": each.scheduler or None,
                "why": each.why,
                "in_process": bool(each.item.traits & Trait.IN_PROCESS),
                "command": each.command,
                "late": each.late,
                "environment": each.environment,
            }
            for each in items
        ],
    }
