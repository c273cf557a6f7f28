"""Which cook this is: the same network, default scheduler and working directory again is the same one."""

from __future__ import annotations

import contextlib
import os
import zlib
from typing import TYPE_CHECKING

from topcook.errors import TopcookError
from topcook.lean import NamedTuple
from topcook.model.userdirs import resolved
from topcook.runtime.paths import working_directories

if TYPE_CHECKING:
    from topcook.runtime.graph import Graph


class Identity(NamedTuple):
    """A network file, the scheduler of nodes that name none, and where that one works."""

    network: str
    scheduler: str
    folder: str

    @property
    def key(self) -> str:
        """Twelve letters for all three; a file's name can hold them."""
        text = os.fsencode("\0".join(self))
        return f"{zlib.crc32(text):08x}{zlib.crc32(text[::-1]):08x}"[:12]

    @property
    def pointer(self) -> str:
        """The file by which cooks of this identity find each other."""
        stem = os.path.splitext(os.path.basename(self.network))[0]
        return os.path.join(self.folder, "pdgtemp", f"cook.{stem}.{self.key}.json")


def identity_of(graph: Graph, network_file: str) -> Identity:
    """The identity of a cook of this graph, which was read from ``network_file``."""
    asked = graph.choice.default_name()
    folder = graph.network.hip
    # Of a type that is not there no node can be cooked: it works nowhere.
    with contextlib.suppress(TopcookError):
        folder = working_directories(graph, graph.network.schedulers[graph.instance_name(asked)])[0]
    return Identity(resolved(network_file), asked, resolved(folder))
