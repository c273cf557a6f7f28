"""Paths that jobs and networks name, put into this machine's view."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from topcook.contract.pathmap import VARIABLE, PathRule, PathRules, local_zone

if TYPE_CHECKING:
    from topcook.model.directories import Directories
    from topcook.model.node import Network


def localize(path: str, directories: Directories, network: Network) -> str:
    """``path`` as this machine names it.

    ``__PDG_DIR__`` and its kin are this machine's directories; what lies below the farm's working directory lies below
    ours; anything else goes by the network's path maps.
    """
    local, remote = directories.working
    if "__PDG_" in path:
        for token, value in (
            ("__PDG_DIR__", local),
            ("__PDG_SHARED_ROOT__", local),
            ("__PDG_TEMP__", directories.temp_dir(local=True)),
            ("__PDG_SHARED_TEMP__", directories.temp_dir(local=True)),
            ("__PDG_SCRIPTDIR__", directories.script_dir(local=True)),
        ):
            path = path.replace(token, value)
        return path
    below = PathRule(remote, local).apply(path) if local != remote else None
    if below is not None:
        return below
    if network.path_maps or VARIABLE in os.environ:
        return PathRules.of(network.path_maps).mapped(path, local_zone())
    return path
