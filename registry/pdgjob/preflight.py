"""Looks around where a scheduler's jobs run, for ``topcook preflight``: one tiny job that says what it finds there.

    preflight.py FOLDER NAME [PROGRAM...]

The findings go by every way there is: a file in FOLDER, the item's attribute "preflight", the job's output.
"""

import json
import os
import subprocess
import sys
import time

from pdgjob import _link, _pathmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Before its findings in the job's output.
MARK = "TOPCOOK-PREFLIGHT "
_PROGRAM_TIME = 120


def look(folder: str, name: str, programs: "list[str]") -> "dict[str, Any]":
    """Everything but the ways back."""
    return {
        "time": time.time(),
        "host": _host(),
        "user": _user(),
        "uid": os.getuid() if hasattr(os, "getuid") else None,
        "umask": _umask(),
        "python": sys.executable,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "working": os.environ.get("PDG_DIR", ""),
        "data": _data(name),
        "wrote": _write(folder, name, "there"),
        "maps": _maps(),
        "programs": {program: _runs(program) for program in programs},
    }


def _host() -> str:
    import socket

    return socket.gethostname()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except Exception:  # noqa: BLE001 - a container's user may have no name, told in another way by each Python
        return ""


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _data(name: str) -> str:
    """Why the item's data file, written by the cook, cannot be read here; empty when it can."""
    if os.environ.get("PDG_ITEM_DATA_SOURCE") == "1":
        return ""
    path = os.path.join(os.environ.get("PDG_TEMP", ""), "data", os.environ.get("PDG_ITEM_NAME", name) + ".json")
    try:
        with open(path) as stream:
            json.load(stream)
        return ""
    except (OSError, ValueError) as problem:
        return "" if os.path.exists(path + ".gz") else "%s: %s" % (path, problem)


def _write(folder: str, name: str, content: str) -> str:
    """Why nothing can be written into the cook's directory here; empty when it can."""
    path = os.path.join(folder, name + ".tmp")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w") as stream:
            stream.write(content)
        os.unlink(path)
        return ""
    except OSError as problem:
        return "%s: %s" % (path, problem.strerror or problem)


def _maps() -> "list[dict[str, Any]]":
    """The rules that hold here, and whether what they lead to is there."""
    try:
        rules = json.loads(os.environ.get("PDG_PATHMAP") or '{"paths": []}')["paths"]
        rows = [(source, rule[source]) for rule in rules for source in rule]
    except (ValueError, KeyError, TypeError):
        return []
    found = []
    for source, rule in rows:
        target = str(rule.get("path", ""))
        if _pathmap.mapped(source) == target:
            found.append({"from": source, "to": target, "there": os.path.exists(target)})
    return found


def _runs(program: str) -> str:
    """Why a program does not run here; empty when it does."""
    import shlex

    try:
        words = [*shlex.split(program), "-c", "pass"]
        status = subprocess.call(words, stdin=subprocess.DEVNULL, timeout=_PROGRAM_TIME)
    except (OSError, ValueError) as problem:
        return str(getattr(problem, "strerror", None) or problem)
    except subprocess.TimeoutExpired:
        return "it had not ended after %d s" % _PROGRAM_TIME
    return "exit status %d" % status if status else ""


def report(found: "dict[str, Any]") -> str:
    """Tell the cook; why it does not hear, empty when it does."""
    address = os.environ.get("PDG_RESULT_SERVER", "")
    if not address:
        return "the job was told of no result server"
    item = os.environ.get("PDG_ITEM_ID", "")
    try:
        args = [int(item) if item.isdigit() else item, -1, "preflight", json.dumps(found), 0, _link.job_id()]
        _link.call(address, "set_string_attrib", _link.attempt_of(item), args)
        return ""
    except _link.RpcError as problem:
        return str(problem)


def main() -> int:
    """Look, tell, write, print."""
    folder, name = sys.argv[1:3]
    found = look(folder, name, sys.argv[3:])
    found["server"] = report(found)
    path = os.path.join(folder, name + ".json")
    try:
        with open(path + ".part", "w") as stream:
            json.dump(found, stream)
        os.replace(path + ".part", path)
    except OSError as problem:
        found["wrote"] = found["wrote"] or str(problem)
    sys.stdout.write(MARK + json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
