"""Paths on a farm: tokens such as ``__PDG_DIR__``, and path maps between kinds of machines."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def zone() -> str:
    """This machine's path map zone: PDG_PATHMAP_ZONE, else by its operating system."""
    named = os.environ.get("PDG_PATHMAP_ZONE")
    if named:
        return named
    return {"win32": "WIN", "cygwin": "WIN", "darwin": "MAC"}.get(sys.platform, "LINUX")


def localizePath(deloc_path: str) -> str:
    """The path as this machine knows it: tokens replaced, path maps applied, ``$VAR`` expanded."""
    path = deloc_path
    for token, variable in TOKENS:
        if token in path and os.environ.get(variable):
            path = path.replace(token, os.environ[variable])
    return os.path.expandvars(mapped(path))


def delocalizePath(local_path: str) -> str:
    """The path as the cook should record it: the working directory's prefix becomes ``__PDG_DIR__``.

    PDG_DELOCALIZE=0 leaves paths as they are.
    """
    root = os.environ.get("PDG_DIR", "")
    if not root or os.environ.get("PDG_DELOCALIZE", "1") == "0":
        return local_path
    path = local_path.replace("\\", "/") if zone() == "WIN" else local_path
    root = (root.replace("\\", "/") if zone() == "WIN" else root).rstrip("/")
    same = path.lower().startswith(root.lower()) if zone() == "WIN" else path.startswith(root)
    # "/show/shot10" lies beside "/show/shot1", not below it.
    if root and same and path[len(root) : len(root) + 1] in ("", "/"):
        return "__PDG_DIR__" + path[len(root) :]
    return local_path


def mapped(path: str) -> str:
    """The path after the first rule of PDG_PATHMAP that is for this zone and fits."""
    text = os.environ.get("PDG_PATHMAP")
    if not text:
        return path
    import json

    try:
        rules = json.loads(text)["paths"]
    except (ValueError, KeyError, TypeError):
        return path
    for rule in rules:
        for source in rule:
            found = _apply(path, source, rule[source])
            if found is not None:
                return found
    return path


def _apply(path: str, source: str, rule: "Any") -> "str | None":
    wanted = rule.get("zone", "*")
    here = zone()
    if wanted not in ("*", here) and not (wanted == "POSIX" and here != "WIN"):
        return None
    target = rule.get("path", "")
    kind = str(rule.get("matchtype", "prefix")).lower()
    if kind == "contains":
        return path.replace(source, target) if source and source in path else None
    if kind == "suffix":
        return path[: len(path) - len(source)] + target if source and path.endswith(source) else None
    return target + path[len(source) :] if path.startswith(source) else None


def makeDirSafe(local_path: str) -> None:
    """Make a directory and those above it; one that is there already is fine."""
    if local_path:
        os.makedirs(local_path, exist_ok=True)
