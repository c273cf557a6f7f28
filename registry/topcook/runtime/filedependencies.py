"""Files that items depend on: each is brought over once per scheduler, before the first item that needs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from topcook.contract.env import expand_vars
from topcook.contract.source import is_authors
from topcook.errors import CallbackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from topcook.model.node import SchedulerNode
    from topcook.model.workitem import WorkItem
    from topcook.runtime.graph import Graph


class FileDependencies:
    """Brings files over for one scheduler in one cook; used on the scheduler's host thread only."""

    def __init__(self, node: SchedulerNode, graph: Graph, cls: type) -> None:
        """Nothing was brought over yet by this scheduler, an instance of ``cls``."""
        self._node = node
        self._graph = graph
        # A file that Save To Python wrote has its author's text under this name; it calls transferFile itself.
        self._callback = "onTransferFile" if is_authors(cls, "onTransferFile") else "transferFile"
        #: By path: why it is not there, empty when it is.
        self._asked: dict[str, str] = {}

    def bring_for(self, item: WorkItem, call: Callable[..., Any]) -> str:
        """Bring over what the item needs; why it cannot run, with the path, or nothing."""
        for path in (*self._graph.network.files, *item.node.files):
            reason = self.bring(path, call)
            if reason:
                return f'the file "{path}" that it needs was not brought over: {reason}'
        return ""

    def bring(self, path: str, call: Callable[..., Any]) -> str:
        """Have the scheduler bring one file or directory over, unless it was asked before; why it could not."""
        full = full_path(path, self._graph)
        if full not in self._asked:
            self._asked[full] = self._transfer(full, call)
        return self._asked[full]

    def _transfer(self, path: str, call: Callable[..., Any]) -> str:
        said_before = len(self._node.warnings) + len(self._node.errors)
        try:
            if call(self._callback, path):
                return ""
        except CallbackError as error:
            return str(error)
        said = [*self._node.warnings, *self._node.errors]
        told = f": {said[-1]}" if len(said) > said_before else ""
        return f'scheduler "{self._node.name}": {self._callback} returned False{told}'


def full_path(path: str, graph: Graph) -> str:
    """Where a file dependency lies: relative ones stand below ``$HIP``; ``__PDG_…__`` stays for the scheduler."""
    text = expand_vars(path, graph.environment())
    return text if text.startswith("__PDG_") else os.path.normpath(os.path.join(graph.network.hip, text))


def without_dependents(items: Iterable[WorkItem], lost: Iterable[WorkItem]) -> list[WorkItem]:
    """The items that are neither lost nor wait for a lost one."""
    gone = set(lost)
    todo = list(gone)
    while todo:
        for dependent in todo.pop().dependents or ():
            if dependent not in gone:
                gone.add(dependent)
                todo.append(dependent)
    return [item for item in items if item not in gone]
