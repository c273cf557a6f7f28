"""Where the result server listens for a scheduler's jobs, what they are told, and who may report without the secret.

Parms of the scheduler node say it; blanks leave it to the scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import ConfigError, Problem
from topcook.lean import pattern
from topcook.runtime.resultserver.settings import Address

if TYPE_CHECKING:
    from topcook.model.node import SchedulerNode
    from topcook.runtime.graph import Graph

BIND, ADVERTISE, PORTS, OLD_CLIENTS = (
    "topcook_serverbind",
    "topcook_serveraddress",
    "topcook_serverports",
    "topcook_oldclients",
)
_RANGE = pattern(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?")


def address_of(node: SchedulerNode, ports: tuple[int, int] | None = None) -> Address:
    """The address as its parms say; raises ``ConfigError`` with everything that is wrong with it.

    ``ports`` is the range (first, end) of the configuration, for a scheduler that names none.
    """
    text = _text(node, PORTS)
    problems: list[Problem] = []
    if text:
        found = _RANGE.fullmatch(text)
        if found is None:
            hint = 'give the first and the last port, such as "40000-40100", or one port'
            problems = [Problem("result-server-ports", f'result server: "{text}" is no range of ports', hint=hint)]
        else:
            ports = (int(found[1]), int(found[2] or found[1]) + 1)
    try:
        address = Address(_text(node, BIND), _text(node, ADVERTISE), ports).checked()
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems, f'scheduler "{node.name}": the result server cannot listen as its parms say')
    return address


def _text(node: SchedulerNode, name: str) -> str:
    parm = node.parms.get(name)
    return str(parm.at() or "").strip() if parm is not None else ""


def takes_old_clients(graph: Graph, key: int | str | None) -> bool:
    """Whether reports on an item are taken from clients that cannot send the secret.

    ``None`` asks it of calls about no item: when any scheduler of the network allows it. Called on the server's thread.
    """
    schedulers = graph.network.schedulers
    if key is None:
        return any(_allows(node) for node in list(schedulers.values()))
    item = graph.item(key)
    node = schedulers.get(item.scheduler) if item is not None else None
    return node is not None and _allows(node)


def _allows(node: SchedulerNode) -> bool:
    parm = node.parms.get(OLD_CLIENTS)
    return parm is not None and bool(parm.at())
