"""From a network file to a graph context, through the very API that ``import pdg`` gives; no private door."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from topcook.contract.fields import field_problems
from topcook.contract.template import SECRET_TAG
from topcook.errors import (
    CookRefusedError,
    CycleError,
    GraphFileError,
    Problem,
    ProblemsError,
    TopcookError,
    UnknownSchedulerError,
    UnknownTypeError,
)
from topcook.model.graphfile import read_network_file
from topcook.model.parms import PARM_TYPES, ParmSpec
from topcook.model.secrets import secret_of
from topcook.runtime.addresses import address_of
from topcook.runtime.api.context import GraphContext
from topcook.runtime.configured import configured_path_maps, path_map_rows, withdraw_default
from topcook.runtime.cookset import with_ancestors
from topcook.runtime.overrides import DEFAULT
from topcook.runtime.parmcheck import TypedText, job_parm_values, plain_secret, typed_value
from topcook.runtime.policy import policy_problems
from topcook.runtime.profiles import profile_named, profile_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from topcook.config import Config
    from topcook.factory import Factory
    from topcook.model.graphfile.specs import GraphFile, ProfileSpec, SpareSpec
    from topcook.model.node import Node, SchedulerNode

KeyPath = tuple[str | int, ...]
#: (node or scheduler, parm, value)
Setting = tuple[str, str, Any]


def load_network(
    path: str | Path,
    *,
    profile: str | None = None,
    scheduler: str | None = None,
    overrides: Mapping[str, str] | None = None,
    parms: Iterable[Setting] = (),
    job_parms: Iterable[Setting] = (),
    factory: Factory | None = None,
    config: Config | None = None,
) -> GraphContext:
    """Read a network file and build its graph context.

    ``scheduler`` and ``overrides`` (node to scheduler) are those of the command line, as are ``parms`` and
    ``job_parms``; they go before what the file's ``profile`` of that name says. Without ``config`` it is read anew,
    the project's file from the network's directory upwards.
    Raises ``GraphFileError`` with every mistake, each at its place; nothing was run then.
    """
    file = read_network_file(path, in_part=True)
    builder = _Builder(file, GraphContext(file.network.name, hip=str(file.hip), factory=factory, config=config))
    if profile:
        builder.profile = profile_named(file, profile)
    builder.build()
    builder.apply_profile()
    builder.command_line(scheduler, overrides or {}, parms)
    builder.job_parms(job_parms)
    if builder.problems:
        builder.check_items()
        builder.problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        builder.context.close()
        count = len(builder.problems)
        raise GraphFileError(
            builder.problems,
            f'network file "{file.path}" has {count} mistake{"s" if count > 1 else ""}; nothing was run',
        )
    return builder.context


class _Builder:
    """Carries a graph file into a context, collecting what does not fit."""

    def __init__(self, file: GraphFile, context: GraphContext) -> None:
        self.file = file
        self.context = context
        self.problems: list[Problem] = list(file.problems)
        self._hurt: set[str] = set(file.hurt)
        self.profile: ProfileSpec | None = None

    def build(self) -> None:
        """Schedulers first, nodes, then what names them."""
        network, spec = self.context.core.network, self.file.network
        network.display = spec.display
        network.files = [*spec.files]
        network.resources, network.slots = self.file.resources, spec.slots or 0
        network.max_failures = spec.max_failures or 0
        environment = self.context.core.environment()
        own = [(row, self.file.place("pathmap", number)) for number, row in enumerate(self.file.pathmaps)]
        network.path_maps = [
            *path_map_rows(own, environment),
            *configured_path_maps(self.context.core.config, environment),
        ]
        for name in self.file.schedulers:
            self._scheduler(name)
        for name in self.file.nodes:
            self._node(name)
        for name, node in self.file.nodes.items():
            for source in node.inputs:
                if not {source, name} <= network.nodes.keys():
                    # A node of unknown type: that was told where it stands.
                    self._hurt.add(name)
                    continue
                self._try(("nodes", name, "inputs"), lambda: self.context.connect(source, name))  # noqa: B023 - run at once
        if spec.scheduler:
            self._default(spec.scheduler)
        if spec.inprocess_scheduler:
            network.in_process_scheduler = spec.inprocess_scheduler
            self._try(
                ("network", "inprocess_scheduler"),
                lambda: self.context.core.instance_name(spec.inprocess_scheduler or ""),
            )

    def _default(self, name: str) -> None:
        self.context.setDefaultScheduler(name)
        self._named(("network", "scheduler"), name)

    def _named(self, place: KeyPath, name: str) -> None:
        """Somebody names a scheduler; of one of this file that has an unknown type enough was said there."""
        if name not in self.file.schedulers:
            self._try(place, lambda: self.context.core.instance_name(name))

    def _scheduler(self, name: str) -> None:
        spec = self.file.schedulers[name]
        place: KeyPath = ("schedulers", name)
        if not self._try((*place, "type"), lambda: self.context.addScheduler(spec.type, name)):
            return
        record = self.context.core.network.schedulers[name]
        record.places = self._places("schedulers", name, spec.parms)
        for spare in spec.spare:
            withdraw_default(record, spare.name)
        self._spare(name, spec.spare)
        self._parms(name, spec.parms, (*place, "parms"))
        self._try((*place, "parms"), lambda: address_of(record))
        self.problems += field_problems(record)

    def _node(self, name: str) -> None:
        spec = self.file.nodes[name]
        place: KeyPath = ("nodes", name)
        if not self._try((*place, "type"), lambda: self.context.addNode(spec.type, name)):
            return
        network = self.context.core.network
        record = network.nodes[name]
        record.places = self._places("nodes", name, spec.parms)
        for file in spec.files:
            self.context.addFileDependency(name, file)
        self._spare(name, spec.spare)
        self._parms(name, spec.parms, (*place, "parms"))
        for parm, problem in policy_problems(record, self.context.core, network.resources):
            self._add((*place, "parms", *parm_path(spec.parms, parm)), ProblemsError([problem]), "")
        if spec.scheduler:
            self.context.setScheduler(name, spec.scheduler)
            self._named((*place, "scheduler"), spec.scheduler)

    def _places(self, table: str, name: str, parms: Mapping[str, Any]) -> Callable[[str, int], tuple[str, int] | None]:
        # The file alone: nodes that held the builder would keep its context alive for ever.
        file = self.file

        def places(parm: str, line: int) -> tuple[str, int] | None:
            found = file.place_in_string((table, name, "parms", *parm_path(parms, parm)), line)
            return (str(found.path), found.line) if found.line is not None else None

        return places

    def _spare(self, owner: str, specs: Iterable[SpareSpec]) -> None:
        for spec in specs:
            kind = PARM_TYPES.get(spec.type.lower(), "String")
            value = spec.value if isinstance(spec.value, list) else [] if spec.value is None else [spec.value]
            secret = spec.secret or SECRET_TAG in spec.tags
            if secret:
                problems = list(plain_secret(spec.name, value))
                if problems:
                    self._add((*spec.path, "value"), ProblemsError(problems), "")
                value = [each for each in map(secret_of, value) if each is not None]
            self.context.addParameter(
                owner,
                ParmSpec(
                    spec.name,
                    kind,
                    spec.label,
                    max(spec.size, len(value), 1),
                    tuple(value),
                    frozenset(spec.tags),
                    spec.help,
                    secret,
                ),
            )

    def _parms(self, owner: str, values: Mapping[str, Any], place: KeyPath) -> None:
        for parm, value in values.items():
            self._try((*place, parm), lambda: self.context.setParameter(owner, parm, value))  # noqa: B023 - run at once

    # ------------------------------------------------------------------ profile, command line and job parms

    def apply_profile(self) -> None:
        """What the profile changes; its mistakes stand where it is written."""
        spec = self.profile
        if spec is None:
            return
        place, network, choice = ("profiles", spec.name), self.context.core.network, self.context.core.choice
        choice.profile, choice.profile_default = spec.name, spec.scheduler
        choice.profile_nodes = dict(spec.overrides)
        choice.forget()
        if spec.scheduler:
            self._named((*place, "scheduler"), spec.scheduler)
        for node, name in spec.overrides.items():
            if node in self.file.nodes:
                self._named((*place, "overrides", node), name)
            else:
                self._no_node((*place, "overrides", node), node, "")
        for row in profile_rows(spec.parms, {*network.nodes, *network.schedulers}):
            path = (*place, "parms", *row.path)
            if not row.owner:
                text = f'"{row.parm}" does not say of which node or scheduler'
                hint = f'write "OWNER.{row.parm}", for example "{next(iter(network.nodes), "render")}.{row.parm}"'
                self._add(path, ProblemsError([Problem("bad-name", text, hint=hint)]), "")
                continue
            self._try(path, lambda: self.context.setParameter(row.owner, row.parm, row.value))  # noqa: B023 - run at once

    def _no_node(self, place: KeyPath | None, node: str, before: str) -> None:
        found = self.file.place(*place) if place is not None else None
        path, line, column = (str(found.path), found.line, found.column) if found is not None else (None, None, None)
        hint = f"there are: {', '.join(self.context.core.network.nodes)}"
        text = f'{before}there is no node "{node}"'
        self.problems.append(Problem("unknown-node", text, path, line, column, hint))

    def command_line(self, scheduler: str | None, overrides: Mapping[str, str], parms: Iterable[Setting]) -> None:
        """What the command line says; its mistakes have no place in the file."""
        choice, network = self.context.core.choice, self.context.core.network
        choice.default, choice.by_node = scheduler, dict(overrides)
        choice.forget()
        if scheduler and not self._try(None, lambda: self.context.core.instance_name(scheduler), "--scheduler: "):
            self._hurt.update(network.nodes)
        for node, name in overrides.items():
            if node not in network.nodes:
                self._no_node(None, node, f"--override {node}={name}: ")
            elif not self._try(None, lambda: self.context.core.instance_name(name), f"--override {node}={name}: "):  # noqa: B023 - run at once
                self._hurt.add(node)
        for owner, parm, text in parms:
            record = network.nodes.get(owner) or network.schedulers.get(owner)
            value = self._typed(text, record, parm)
            self._try(None, lambda: self.context.setParameter(owner, parm, value), f"--parm {owner}.{parm}: ")  # noqa: B023 - run at once

    def _typed(self, value: Any, owner: Node | SchedulerNode | None, parm: str) -> Any:
        """A value of the command line, in the type of its parm."""
        if not isinstance(value, TypedText):
            return value
        return typed_value(value, owner.parms.spec_for(parm) if owner is not None else None)

    def job_parms(self, extra: Iterable[Setting]) -> None:
        """Overrides of scheduler parms; last, because they depend on which scheduler each node got."""
        for name, node in self.file.nodes.items():
            for parm, value in node.job_parms.items():
                self._job_parm(("nodes", name, "job_parms", parm), name, parm, value, "")
        for row in profile_rows(self.profile.job_parms, self.file.nodes) if self.profile is not None else ():
            path = ("profiles", self.profile.name, "job_parms", *row.path)  # type: ignore[union-attr]
            if row.owner in self.file.nodes:
                self._job_parm(path, row.owner, row.parm, row.value, "")
            else:
                self._no_node(path, row.owner or row.parm, "")
        for name, parm, value in extra:
            self._job_parm(None, name, parm, value, f"--job-parm {name}.{parm}: ")

    def _job_parm(self, place: KeyPath | None, node: str, parm: str, value: Any, before: str) -> None:
        known = node in self.context.core.network.nodes
        if not known and place is not None:
            return
        try:
            if isinstance(value, TypedText) and known:
                core = self.context.core
                scheduler = core.network.schedulers[core.scheduler_name_for(core.network.nodes[node])]
                value = self._typed(value, scheduler, parm)
            self.context.setJobParameter(node, parm, value)
        except UnknownSchedulerError:
            # Told already, where the scheduler is named.
            return
        except (ProblemsError, UnknownTypeError) as error:
            if place is None or not self._is_of_another(node, parm, value, error):
                self._add(place, error, before)

    def _is_of_another(self, node: str, parm: str, value: Any, error: Exception) -> bool:
        """Whether a job parm is right for the scheduler that the file names, while the command line names another.

        As in Houdini, job parms apply while their own scheduler cooks the node: this one rests, it is no mistake.
        """
        if not isinstance(error, ProblemsError) or {each.code for each in error.problems} != {"unknown-job-parm"}:
            return False
        core = self.context.core
        record = core.network.nodes[node]
        try:
            named = core.instance_name(record.scheduler or core.network.default_scheduler or DEFAULT)
            job_parm_values(core.network.schedulers[named].parms, named, parm, value)
        except (ProblemsError, UnknownSchedulerError):
            return False
        return named != core.scheduler_name_for(record)

    def check_items(self) -> None:
        """Make the static items of the nodes that are right, for the mistakes that only show there; nothing is run."""
        healthy: dict[Node, bool] = {}
        for node in with_ancestors(list(self.context.core.network.nodes.values())):
            healthy[node] = node.name not in self._hurt and all(healthy[source] for source in node.inputs)
        names = [node.name for node, right in healthy.items() if right]
        if not names:
            return
        try:
            cook = self.context.prepare(names, static_only=True)
            cook.run()
        except ProblemsError as error:
            self.problems += error.problems
        except TopcookError:
            # What stops the items from being made follows from mistakes that are told already.
            return
        else:
            # A node whose items need a scheduler that there is not says so again, without its place.
            told = [each.message for each in self.problems if each.code == "unknown-scheduler"]
            made = self.context.core.network.schedulers
            told += [f'unknown scheduler "{name}"' for name in self.file.schedulers if name not in made]
            found = (each for each in cook.generation_problems if not any(text in each.message for text in told))
            self.problems += found

    def _try(self, place: KeyPath | None, action: Callable[[], object], before: str = "") -> bool:
        """Do it; a mistake becomes a problem at ``place``."""
        try:
            action()
        except (ProblemsError, UnknownSchedulerError, UnknownTypeError, CycleError, CookRefusedError) as error:
            self._add(place, error, before)
            return False
        return True

    def _add(self, place: KeyPath | None, error: Exception, before: str) -> None:
        found = self.file.place(*place) if place is not None else None
        self._hurt.update(str(part) for part in (place or ())[1:2])
        path, line, column = (str(found.path), found.line, found.column) if found is not None else (None, None, None)
        if isinstance(error, ProblemsError) and error.problems:
            self.problems += [Problem(p.code, before + p.message, path, line, column, p.hint) for p in error.problems]
            return
        first, _, rest = str(error).partition("\n")
        code = {UnknownSchedulerError: "unknown-scheduler", UnknownTypeError: "unknown-type", CycleError: "cycle"}.get(
            type(error), "refused"
        )
        hints = [self._is_profile(error), self._beside(error), *(line.strip() for line in rest.splitlines())]
        hint = "\n    ".join(filter(None, hints)) or None
        self.problems.append(Problem(code, before + first, path, line, column, hint))

    def _is_profile(self, error: Exception) -> str:
        """Who names a profile where a scheduler belongs has mixed up two options."""
        name = getattr(error, "name", "") if isinstance(error, UnknownSchedulerError) else ""
        return f"there is a profile of that name: --profile {name}" if name in self.file.profiles else ""

    def _beside(self, error: Exception) -> str:
        """Where a type may be that nobody knows: in a file of its name next to the network, as ``new`` writes it."""
        name = getattr(error, "name", "") if str(error).startswith("unknown ") else ""
        file = os.path.join(os.path.dirname(os.path.abspath(self.file.path)), f"{name}.py")
        if not name.isidentifier() or not os.path.isfile(file):
            return ""
        folder = os.path.dirname(file)
        return (
            f"{name}.py beside the network is not on the types path: PDG_TYPES_PATH={folder}, or topcook install {file}"
        )


def parm_path(parms: Mapping[str, Any], parm: str) -> KeyPath:
    """Where a parm stands below its table of parms; ``path2`` is the second row's ``path`` of a multiparm."""
    if parm not in parms:
        stem = parm.rstrip("0123456789")
        number = parm[len(stem) :]
        for key, value in parms.items():
            if number and isinstance(value, list) and len(value) >= int(number) > 0:
                row = value[int(number) - 1]
                if isinstance(row, dict) and stem in row:
                    return (key, int(number) - 1, stem)
    return (parm,)
