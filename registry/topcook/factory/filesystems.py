"""Which file system a path is on, and whether it tells this machine when a file on it changes."""

from __future__ import annotations

import os

from topcook.lean import NamedTuple, pattern
from topcook.model.userdirs import resolved

__all__ = ["NETWORK", "FileSystem", "file_system"]

#: File systems that other machines change, too; of those no events come. A name stands for all that begin with it.
NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "sshfs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.juicefs",
    "fuse.vmhgfs",
    "glusterfs",
    "davfs",
    "fuse.davfs",
    "afs",
    "openafs",
    "ceph",
    "fuse.ceph",
    "lustre",
    "beegfs",
    "gpfs",
    "panfs",
    "wekafs",
    "9p",
    "virtiofs",
    "vboxsf",
    "prl_fs",
)
_ESCAPED = pattern(r"\\([0-7]{3})")


class FileSystem(NamedTuple):
    """The kind of a file system, empty where it cannot be known, and whether other machines change it, too."""

    kind: str
    network: bool


def file_system(path: str, mounts: str = "/proc/self/mounts") -> FileSystem:
    """The file system of a path, or of the nearest directory above it that is there. ``mounts`` lists what is mounted.

    Of Windows' drives only shares are known, by their names; elsewhere without ``mounts`` nothing is.
    """
    if os.name == "nt":
        shared = resolved(path).startswith("\\\\")
        return FileSystem("share" if shared else "", shared)
    place = resolved(path)
    best, kind = "", ""
    for point, each in _mounted(mounts):
        # Of two at one place the later one covers the earlier.
        if len(point) >= len(best) and (place == point or place.startswith(point.rstrip("/") + "/")):
            best, kind = point, each
    return FileSystem(kind, kind.startswith(NETWORK))


def _mounted(mounts: str) -> list[tuple[str, str]]:
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as stream:
            rows = [line.split(" ") for line in stream]
    except OSError:
        return []
    return [(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), row[1]), row[2]) for row in rows if len(row) > 2]  # noqa: PLR2004
