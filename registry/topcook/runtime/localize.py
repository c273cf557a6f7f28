"""Paths that name the working directory by token, put into this machine's view."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topcook.model.directories import Directories


def localize(path: str, directories: Directories) -> str:
    """Replace ``__PDG_DIR__`` and its kin by this machine's directories."""
    if "__PDG_" not in path:
        return path
    for token, value in (
        ("__PDG_DIR__", directories.working_dir(local=True)),
        ("__PDG_SHARED_ROOT__", directories.working_dir(local=True)),
        ("__PDG_TEMP__", directories.temp_dir(local=True)),
        ("__PDG_SHARED_TEMP__", directories.temp_dir(local=True)),
        ("__PDG_SCRIPTDIR__", directories.script_dir(local=True)),
    ):
        path = path.replace(token, value)
    return path
