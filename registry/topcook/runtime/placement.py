"""New work items get their scheduler, and their files a place on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.errors import Problem, ProblemsError, TopcookError
from topcook.machine.schedulers import SchedulerState
from topcook.model.workitem import Trait
from topcook.runtime.localize import localize
from topcook.runtime.paths import is_absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topcook.machine import CookState
    from topcook.model.node import Node
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph
    from topcook.runtime.host import Host
    from topcook.runtime.limits import Limits
    from topcook.runtime.link import CookLink


# Plain integers: a flag's own ``&`` is a Python function, and this is asked of every item.
_AUTOMATIC, _IN_PROCESS = int(Trait.AUTOMATIC), int(Trait.IN_PROCESS)


class Placement:
    """Places the items of one cook."""

    def __init__(self, graph: Graph, link: CookLink, state: CookState, limits: Limits) -> None:
        """Place into ``state``: each scheduler joins the cook with its first item; ``limits`` hears of all items."""
        self._graph = graph
        self._link = link
        self._state = state
        self._limits = limits

    def open_asked(self, items: Iterable[WorkItem]) -> list[Problem]:
        """Make the schedulers that in-process items name themselves: only an instance knows what it accepts.

        Called on the generator's thread, since making one runs author code.
        """
        problems = []
        choice = self._graph.choice
        named = [item for item in items if item.attributes]
        for name in {choice.named_by(item) for item in named if int(item.traits) & _IN_PROCESS}:
            try:
                if name:
                    self._graph.host(self._graph.instance_name(name)).open()
            except TopcookError as error:
                problems += as_problems(error)
        return problems

    def place(self, items: Sequence[WorkItem]) -> None:
        """Choose the scheduler of each item; raises ``UnknownSchedulerError`` and its like."""
        self._limits.read(items)
        # What a choice depends on, so that it is made once for all items that are alike.
        chosen: dict[tuple[Node, int, str], Host | None] = {}
        before: WorkItem | None = None
        host: Host | None = None
        for item in items:
            if item.batch_parent is not None:
                # One job cannot run on two farms.
                item.scheduler = item.batch_parent.scheduler
                before, host = None, self._known(item.scheduler)
            elif (
                before is not None and item.traits is before.traits and item.node is before.node and not item.attributes
            ):
                # Nearly all are like the one before.
                item.scheduler = before.scheduler
            else:
                host = self._chosen(item, chosen)
                before = item if not item.attributes else None
            if item.expected_outputs or item.outputs:
                self._place_files(item, host)

    def _chosen(self, item: WorkItem, chosen: dict[tuple[Node, int, str], Host | None]) -> Host | None:
        """Give an item its scheduler; ``None`` where nothing is to be scheduled."""
        choice = self._graph.choice
        traits = int(item.traits)
        if traits & _AUTOMATIC:
            return None
        alike = (item.node, traits & _IN_PROCESS, choice.named_by(item))
        host = chosen.get(alike)
        if host is None:
            host = chosen[alike] = self._known(choice.for_item(item)[0])
        item.scheduler = host.name
        return host

    def _place_files(self, item: WorkItem, host: Host | None) -> None:
        """Give its files a place on this machine; what nothing schedules stands where its node's scheduler works."""
        for file in item.expected_outputs or ():
            if not (is_absolute(file.path) or "://" in file.path):
                # Its job runs in the working directory; whoever looks for the file later stands elsewhere.
                file.path = f"__PDG_DIR__/{file.path}"
        for file in (*(item.outputs or ()), *(item.expected_outputs or ())):
            if "__PDG_" in file.path:
                host = host or self._known(self._graph.scheduler_name_for(item.node))
                file.path = localize(file.path, host.directories, self._graph.network)

    def _known(self, name: str) -> Host:
        host = self._graph.host(name)
        if name not in self._state.schedulers:
            self._state.know_scheduler(
                SchedulerState(name, takes_static=host.takes_static, begins_early=host.begins_early)
            )
            host.begin_cook(self._link)
        return host


def as_problems(error: TopcookError, text: str = "") -> list[Problem]:
    """What an error says, as problems; ``text`` puts it in other words where it has none."""
    problems = error.problems if isinstance(error, ProblemsError) else []
    return problems or [Problem("generation", text or str(error))]
