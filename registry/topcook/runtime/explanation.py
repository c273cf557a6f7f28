"""Which scheduler cooks a node and why, and where every parm that can be overridden there has its value from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from topcook.errors import TopcookError
from topcook.lean import dataclass, field
from topcook.model.builtinparms import SCHEDULER_PARMS
from topcook.model.parms import Parm
from topcook.model.secrets import MASK, Secret
from topcook.model.tomltext import toml_key, toml_value
from topcook.model.workitem import Trait
from topcook.runtime.keeper.limiting import LIMIT_PARMS, limits_by
from topcook.runtime.netfile import parm_path
from topcook.runtime.overrides import NETWORKS_DEFAULT, NODES_OWN
from topcook.runtime.policy import own_values, policy_of, raw_values, told
from topcook.runtime.profiles import profile_rows

if TYPE_CHECKING:
    from topcook.model.graphfile.specs import GraphFile
    from topcook.model.node import Node, SchedulerNode
    from topcook.model.workitem import WorkItem
    from topcook.runtime.api.context import GraphContext
    from topcook.runtime.graph import Graph

_BUILTIN = frozenset(spec.name for spec in SCHEDULER_PARMS)


@dataclass(slots=True)
class ParmAnswer:
    """An overridable parm as it is for a node: ``source`` says in words where its value is from, ``place`` where.

    ``items`` are those whose attribute says otherwise, with what it says; ``toml`` is the line to paste below the
    node's job_parms.
    """

    parm: Parm
    value: Any
    source: str
    place: str
    toml: str
    items: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def shown(self) -> Any:
        """The value for people and programs; a secret is masked, its source is in ``source``."""
        return MASK if self.parm.spec.secret else self.value


@dataclass(slots=True)
class Explanation:
    """The answer for one node; ``elsewhere`` maps (scheduler, why) to the items that go to another one."""

    node: Node
    scheduler: SchedulerNode
    origin: str
    why: str
    place: str
    static: tuple[bool, str]
    items: list[WorkItem] = field(default_factory=list)
    dynamic: bool = False
    elsewhere: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    parms: list[ParmAnswer] = field(default_factory=list)
    #: What is not as usual about failures, time and resources; and the items whose attributes say otherwise.
    policy: list[str] = field(default_factory=list)
    own_policies: dict[str, list[str]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The TOML table that overrides go into."""
        return f"[{toml_key('nodes', self.node.name, 'job_parms')}]"


def explain_node(
    context: GraphContext,
    name: str,
    file: GraphFile,
    *,
    parms: Iterable[tuple[str, str]] = (),
    job_parms: Iterable[tuple[str, str]] = (),
) -> Explanation:
    """Explain a node of a network that was read from ``file``.

    ``parms`` and ``job_parms`` are those that the command line set: (node or scheduler, parm). The items that are known
    before the cook are made; where they cannot be, the answer goes without. Raises ``UnknownTypeError`` for no node.
    """
    core = context.core
    node = context.wanted([name])[0]
    scheduler_name, why = core.choice.for_node(node)
    scheduler = core.network.schedulers[scheduler_name]
    origin = str(core.factory.scheduler(scheduler.type_name).origin)
    static = core.takes_static(scheduler_name)
    answer = Explanation(node, scheduler, origin, why, _place_of_choice(file, node, why), static)
    _make_items(context, answer)
    _tell_policies(core, answer)
    sources = _Sources(file, scheduler, set(parms), set(job_parms), core.choice.profile)
    for parm in _overridable(scheduler, node):
        answer.parms.append(_parm(answer, parm, sources))
    if any(each.parm.name in LIMIT_PARMS and (each.value or each.items) for each in answer.parms):
        answer.policy.append(limits_by())
    return answer


def _tell_policies(core: Graph, answer: Explanation) -> None:
    resources = core.network.resources
    raw = raw_values(answer.node)
    usual = policy_of(raw, None, core, resources)[0]
    answer.policy = told(usual)
    for item in answer.items:
        policy = policy_of({**raw, **own_values(item)}, item, core, resources)[0]
        if policy != usual and not item.traits & Trait.AUTOMATIC:
            answer.own_policies["; ".join(told(policy)) or "as usual"] = [
                *answer.own_policies.get("; ".join(told(policy)) or "as usual", ()),
                item.name,
            ]


def _place_of_choice(file: GraphFile, node: Node, why: str) -> str:
    if why == NODES_OWN:
        return _place(file, "nodes", node.name, "scheduler")
    for name, profile in file.profiles.items():
        if why == f'profile "{name}"':
            return _place(
                file,
                "profiles",
                name,
                *(("overrides", node.name) if node.name in profile.overrides else ("scheduler",)),
            )
    return _place(file, "network", "scheduler") if why == NETWORKS_DEFAULT else ""


def _place(file: GraphFile, *path: str | int) -> str:
    found = file.place(*path)
    return f"{found.path}:{found.line}"


def _make_items(context: GraphContext, answer: Explanation) -> None:
    try:
        cook = context.prepare([answer.node.name], static_only=True)
        cook.run()
    except TopcookError:
        return
    answer.dynamic = not cook.state.nodes[answer.node.name].static
    answer.items = list(answer.node.items)
    for item in answer.items:
        if item.traits & Trait.AUTOMATIC:
            continue
        try:
            name, why = context.core.choice.for_item(item)
        except TopcookError as error:
            name, why = context.core.choice.named_by(item), str(error).partition("\n")[0]
        if name != answer.scheduler.name:
            if item.traits & Trait.IN_PROCESS and context.core.scheduler_object(answer.scheduler.name) is None:
                why = f'in process, unless "{answer.scheduler.name}" says when it is started that it takes such items'
            answer.elsewhere.setdefault((name, why), []).append(item.name)


def _overridable(scheduler: SchedulerNode, node: Node) -> Iterator[Parm]:
    shown = {parm.name: parm for parm in scheduler.parms if parm.spec.is_job_parm}
    for name in node.job_parms:
        own = scheduler.parms.spec_for(name)
        if own is not None:
            shown.setdefault(name, Parm(own))
    yield from shown.values()
    numbered = {name.rstrip("0123456789") for name in shown}
    for spec in scheduler.parms.specs.values():
        if spec.is_job_parm and spec.name.endswith("#") and spec.name[:-1] not in numbered:
            yield Parm(spec)


class _Sources:
    """Where the values of a scheduler's parms come from."""

    def __init__(
        self,
        file: GraphFile,
        scheduler: SchedulerNode,
        parms: set[tuple[str, str]],
        job_parms: set[tuple[str, str]],
        profile: str,
    ) -> None:
        self._file, self._scheduler = file, scheduler
        self._parms, self._job_parms = parms, job_parms
        self._spec = file.schedulers.get(scheduler.name)
        self._profile = file.profiles.get(profile)

    def _of_profile(self, kind: str, owner: str, parm: str) -> tuple[str, str] | None:
        """What the profile says of it, if it does: words and place."""
        if self._profile is None:
            return None
        owners = {*self._file.nodes, *self._file.schedulers, self._scheduler.name}
        for row in profile_rows(getattr(self._profile, kind), owners):
            if (row.owner, row.parm) == (owner, parm):
                place = _place(self._file, "profiles", self._profile.name, kind, *row.path)
                return f'profile "{self._profile.name}"', place
        return None

    def of_job_parm(self, node: Node, name: str) -> tuple[str, str]:
        """Of a job parm that the node has: words and place."""
        spec = self._file.nodes.get(node.name)
        path = parm_path(spec.job_parms, name) if spec is not None else (name,)
        profiles = self._of_profile("job_parms", node.name, name)
        if profiles is not None and (node.name, name) not in self._job_parms:
            return profiles
        if (node.name, name) in self._job_parms or spec is None or path[0] not in spec.job_parms:
            return "command line, --job-parm", ""
        return "the node's job_parms", _place(self._file, "nodes", node.name, "job_parms", *path)

    def of_parm(self, parm: Parm) -> tuple[str, str]:
        """Of a parm of the scheduler: words and place."""
        name = parm.name
        if name in self._scheduler.configured:
            return self._scheduler.configured[name], ""
        if parm.is_set:
            path = parm_path(self._spec.parms, name) if self._spec is not None else (name,)
            profiles = self._of_profile("parms", self._scheduler.name, name)
            if profiles is not None and (self._scheduler.name, name) not in self._parms:
                return profiles
            if (self._scheduler.name, name) in self._parms or self._spec is None or path[0] not in self._spec.parms:
                return "command line, --parm", ""
            return "the network", _place(self._file, "schedulers", self._scheduler.name, "parms", *path)
        for index, spare in enumerate(self._spec.spare if self._spec is not None else ()):
            if spare.name == name:
                return "the network's spare parm", _place(
                    self._file, "schedulers", self._scheduler.name, "spare", index
                )
        if name in _BUILTIN and parm.spec in SCHEDULER_PARMS:
            return "default of every scheduler", ""
        return f'default of type "{self._scheduler.type_name}"', ""


def _parm(answer: Explanation, parm: Parm, sources: _Sources) -> ParmAnswer:
    name = parm.name
    if name in answer.node.job_parms:
        value = answer.node.job_parms[name]
        source, place = sources.of_job_parm(answer.node, name)
    else:
        values = [parm.at(index) for index in range(max(parm.spec.size, len(parm.values or ())))]
        value = values[0] if len(values) == 1 else values
        source, place = sources.of_parm(parm)
    if isinstance(value, Secret):
        source = f"{value.told}, by {source}"
    items = [] if parm.spec.secret else list(_of_items(answer.items, name))
    # Of a multiparm's pattern the first one, to go on from.
    key = toml_key(name.replace("#", "1"))
    return ParmAnswer(parm, value, source, place, f"{key} = {_pasted(parm, value)}", items)


def _pasted(parm: Parm, value: Any) -> str:
    if parm.spec.secret and (not isinstance(value, Secret) or value.kind == "given"):
        return toml_value({"env": "NAME"})
    return toml_value(value)


def _of_items(items: Iterable[WorkItem], name: str) -> Iterator[tuple[str, Any]]:
    for item in items:
        attribute = (item.attributes or {}).get(name)
        if attribute is not None and attribute.values:
            yield item.name, attribute.values[0] if len(attribute.values) == 1 else list(attribute.values)
