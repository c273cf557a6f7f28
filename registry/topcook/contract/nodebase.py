"""What the base classes of node types share: they are handles on their own node, with a few doors of Topcook's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from topcook.contract.node import Node
from topcook.contract.snippets import Snippet, snippet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topcook.contract.host import GraphServices
    from topcook.contract.port import Port
    from topcook.model.node import Node as Record

__all__ = ["NodeHandle", "PyNode"]


class NodeHandle(Protocol):
    """The opaque first argument of a node class: its record, and the graph context it belongs to."""

    @property
    def record(self) -> Record:
        """The node's record."""

    @property
    def graph(self) -> GraphServices:
        """The graph context."""


class PyNode(Node):
    """Base of ``PyProcessor``, ``PyPartitioner`` and ``PyMapper``: constructed as ``Cls(node_handle, name)``.

    It equals, and does all that, the ``pdg.Node`` of the same node does. A node type is made once per node and
    may keep what it likes on ``self``; its generation callbacks never overlap.
    """

    def __init__(self, node: NodeHandle, name: str) -> None:
        """Belong to ``node``; ``name`` is the node's name, which its record knows as well."""
        super().__init__(node.record, node.graph)

    def __repr__(self) -> str:
        """Class, name and type."""
        return f"<{type(self).__name__} {self.record.name} ({self.record.type_name})>"

    def onStart(self) -> bool:
        """The node was made; nothing to do by default."""
        return True

    def onStop(self) -> bool:
        """The node goes away; nothing to do by default."""
        return True

    # Topcook's own doors, for node types that read more than one value from a parm

    def isSet(self, parm: str) -> bool:
        """Whether the network gives ``parm`` a value, and not an empty one."""
        found = self.record.parms.get(parm)
        return found is not None and found.is_set and any(value not in ("", None) for value in found.values or ())

    def rows(self, multiparm: str, *names: str) -> Iterator[list[Port | None]]:
        """The rows of a multiparm: for each, the ports of ``names`` (``"path"`` is ``path1``, ``path2``, …).

        ``None`` stands for a parm that the row leaves out and the template does not declare.
        """
        count = self.parameter(multiparm)
        for number in range(1, (count.evaluateInt() if count else 0) + 1):
            yield [self.parameter(f"{name}{number}") for name in names]

    def given(self, parm: str) -> list[Any]:
        """All components of ``parm`` as the network writes them; the default's when it says nothing."""
        found = self.record.parms.get(parm)
        if found is None:
            return []
        return list(found.values) if found.values is not None else list(found.spec.default)

    def snippet(self, parm: str) -> Snippet:
        """The Python that stands in ``parm``; its errors point at the network file."""
        return snippet_of(self.record, parm)

    def jobFile(self, path: str) -> str:
        """A file of this machine as the node's jobs name it.

        One below the network's directory becomes a file dependency and is named in the working directory, where it is
        brought before they run. Any other is taken for shared, and keeps its name.
        """
        home = os.path.join(self.services.network.hip, "")
        path = os.path.normpath(path)
        if not path.startswith(home):
            return path
        if path not in self.record.files:
            self.record.files.append(path)
        return "__PDG_DIR__/" + path[len(home) :]

    def localPath(self, path: str) -> str:
        """A path as it is on this machine: a relative one starts at the network's directory, ``~`` is the user's.

        ``__PDG_DIR__`` and its like are read by the node's scheduler. Before the cook there is none yet: then the
        tokens that mean the working directory are read as the network's own directory.
        """
        hip = self.services.network.hip
        if "__PDG_" in path:
            scheduler = self.scheduler
            if scheduler is not None:
                path = str(scheduler.localizePath(path))
            for token in ("__PDG_DIR__", "__PDG_SHARED_ROOT__"):
                path = path.replace(token, hip)
        return os.path.join(hip, os.path.expanduser(path))
