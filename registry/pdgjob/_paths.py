"""Paths on a farm: tokens such as ``__PDG_DIR__``, and path maps between kinds of machines."""

import os

from pdgjob._pathmap import mapped, replaced

#: Token and the variable of the job that holds what it stands for.
TOKENS = (
    ("__PDG_DIR__", "PDG_DIR"),
    ("__PDG_SHARED_ROOT__", "PDG_DIR"),
    ("__PDG_TEMP__", "PDG_TEMP"),
    ("__PDG_SHARED_TEMP__", "PDG_SHARED_TEMP"),
    ("__PDG_SCRIPTDIR__", "PDG_SCRIPTDIR"),
    ("__PDG_ITEM_NAME__", "PDG_ITEM_NAME"),
    ("__PDG_ITEM_ID__", "PDG_ITEM_ID"),
    ("__PDG_INDEX__", "PDG_INDEX"),
    ("__PDG_RESULT_SERVER__", "PDG_RESULT_SERVER"),
    ("__PDG_HFS__", "PDG_HFS"),
)


def localizePath(deloc_path: str) -> str:
    """The path as this machine knows it: tokens replaced, ``$VAR`` expanded, path maps applied.

    A directory of the job whose name has a ``$`` in it is meant as it is.
    """
    path = deloc_path
    if "$" in path:
        known = [os.environ.get(variable) or "" for _, variable in TOKENS]
        head = max([root for root in known if path.startswith(root) and os.path.isdir(root)] or [""], key=len)
        path = head + os.path.expandvars(path[len(head) :])
    for token, variable in TOKENS:
        if token in path and os.environ.get(variable):
            value = os.environ[variable]
            path = path.replace(token, value if os.path.isdir(value) else os.path.expandvars(value))
    return mapped(path)


def delocalizePath(local_path: str) -> str:
    """The path as the cook should record it: the working directory's prefix becomes ``__PDG_DIR__``.

    PDG_DELOCALIZE=0 leaves paths as they are.
    """
    root = os.environ.get("PDG_DIR", "")
    if not root or os.environ.get("PDG_DELOCALIZE", "1") == "0":
        return local_path
    found = replaced(local_path, root, "__PDG_DIR__")
    return local_path if found is None else found


def fileStem(name: str) -> str:
    """A work item's name as that of its files, without their ending; the cook names them by the same rule."""
    flat = name.replace("/", "_").replace("\\", "_")
    if flat == name:
        return name
    from zlib import crc32

    return "%s-%08x" % (flat, crc32(name.encode("utf-8", "surrogatepass")))


def makeDirSafe(local_path: str) -> None:
    """Make a directory and those above it; one that is there already is fine."""
    if local_path:
        os.makedirs(local_path, exist_ok=True)
