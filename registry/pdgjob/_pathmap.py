"""The path map of a job: the same place under the names that different machines have for it.

Rules come in PDG_PATHMAP: ``{"paths": [{from: {"zone": ..., "path": to, "matchtype": ...}}]}``; the first that is for
this machine's zone and fits wins. The cook reads them in the same way.
"""

import os
import sys


def zone() -> str:
    """This machine's path map zone: PDG_PATHMAP_ZONE, else by its operating system."""
    named = os.environ.get("PDG_PATHMAP_ZONE")
    if named:
        return named
    return {"win32": "WIN", "cygwin": "WIN", "darwin": "MAC"}.get(sys.platform, "LINUX")


def mapped(path: str) -> str:
    """The path after the first rule of PDG_PATHMAP that is for this zone and fits."""
    text = os.environ.get("PDG_PATHMAP")
    if not text:
        return path
    import json

    try:
        rules = [(source, rule[source]) for rule in json.loads(text)["paths"] for source in rule]
        for source, rule in rules:
            if _holds(str(rule.get("zone", "*"))):
                kind = str(rule.get("matchtype", "prefix")).lower()
                found = replaced(path, source, str(rule["path"]), kind)
                if found is not None:
                    return found
    except (ValueError, KeyError, TypeError, AttributeError):
        return path  # no path map: paths stay as they are
    return path


def _holds(wanted: str) -> bool:
    here, wanted = zone().upper(), wanted.upper() or "*"
    return wanted in ("*", here) or (wanted == "POSIX" and here != "WIN")


def is_windows(path: str) -> bool:
    """Whether a path is one of Windows' own: a drive letter or ``//server/share``, in either kind of slash."""
    first, rest = path[:1], path[1:3]
    if rest[:1] == ":" and rest[1:] in ("", "/", "\\"):
        return "A" <= first <= "Z" or "a" <= first <= "z"
    return path[:2] == "\\\\" or (path[:2] == "//" and path[2:3] not in ("", "/"))


def replaced(path: str, source: str, target: str, kind: str = "prefix") -> "str | None":
    """``path`` with ``target`` in the place of ``source``; None when that is not there.

    Windows' paths, and all paths in the zone WIN, are compared without regard to case and to the kind of slash. A
    prefix ends where a name ends: "/show/shot10" lies beside "/show/shot1", not below it.
    """
    windows = zone().upper() == "WIN" or is_windows(source)
    have, want = (folded(path), folded(source)) if windows else (path, source)
    if not want or not have:
        return None
    if kind == "contains":
        at = have.find(want)
        return None if at < 0 else path[:at] + target + path[at + len(want) :]
    if kind == "suffix":
        return path[: len(path) - len(want)] + target if have.endswith(want) else None
    want = want.rstrip("/")
    if not have.startswith(want) or have[len(want) : len(want) + 1] not in ("", "/"):
        return None
    rest = path[len(want) :]
    if not rest:
        return target
    if "\\" in target:
        return target.rstrip("/\\") + rest.replace("/", "\\")
    return target.rstrip("/") + (rest.replace("\\", "/") if windows else rest)


def folded(text: str) -> str:
    """Lower case and forward slashes, character by character: places in it are places in the text."""
    return "".join([low if len(low) == 1 else each for each, low in zip(text, map(str.lower, text))]).replace("\\", "/")
