"""What the configuration settles for all networks: path maps, and the parms of schedulers that networks leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.lean import names, replace
from topcook.runtime.parmcheck import check_parm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from topcook.config import Config
    from topcook.errors import Problem
    from topcook.model.graphfile import PathMapSpec, Place
    from topcook.model.node import SchedulerNode


def path_map_rows(
    rules: Iterable[tuple[PathMapSpec, Place]], environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A network's own rules as ``Network.path_maps`` holds them, variables written out, each with where it stands."""
    for spec, place in rules:
        yield _expanded({name: getattr(spec, name) for name in names(type(spec))} | {"origin": str(place)}, environment)


def configured_path_maps(config: Config, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rules of the configuration, in the same form; they come after a network's own."""
    return [_expanded(row, environment) for row in config.path_maps]


def give_defaults(node: SchedulerNode, config: Config) -> list[Problem]:
    """Set the parms that the configuration has for the scheduler's type; what the network says later goes before.

    Answers with what does not fit the type, each at its place in the configuration.
    """
    problems: list[Problem] = []
    for name, value, origin in config.parm_defaults(node.type_name):
        wrong = list(check_parm(node.parms, name, value, undeclared=True))
        for problem in wrong:
            path = origin.path or None
            said = "" if path else f", {origin}"
            message = f"default for scheduler type {node.type_name}{said}: {problem.message}"
            problems.append(replace(problem, message=message, path=path, line=origin.line, column=origin.column))
        if not wrong:
            node.parms.set(name, value)
            node.configured[name] = str(origin)
    return problems


def withdraw_default(node: SchedulerNode, name: str) -> None:
    """Take back what the configuration gave a parm, because the network has a default of its own for it."""
    if node.configured.pop(name, None) is not None:
        node.parms.reset(name)


def _expanded(row: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    return {**row, **{name: expand_vars(row[name], environment) for name in ("from_path", "to_path")}}
