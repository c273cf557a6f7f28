"""``topcook status``: how far a submitted cook is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from topcook.cli.enginequestion import EngineQuestion
from topcook.cli.guard import COOKED, UNCOOKED
from topcook.cli.wording import seconds, shown_path
from topcook.errors import CookRefusedError

#: Seconds between two looks at a status file that is waited for.
_PERIOD = 0.2
_OPEN = frozenset({"submitted", "starting", "cooking", "paused"})
_ELSE = "what topcook submit printed is asked for; other cooks are shown by topcook cooks"
_WORDS = ("CookedSuccess", "CookedCache", "CookedFail", "CookedCancel", "Cooking", "Scheduled", "Waiting")


@click.command("status")
@click.argument("uri")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, uri: str, wait: bool, as_json: bool) -> int:
    """Show how far a submitted cook is.

    URI is what topcook submit printed, or the path of a file that topcook cook --status writes. A farm's own status
    page is for a browser.

    Exit status: 0 it cooks or has cooked, 1 it ended otherwise, 2 there is no such status.

    \b
    Example:
        topcook status file:///show/pdgtemp/submit-20261121-215930-9f3a/status.json --wait
    """
    path = _path(uri)
    asking = EngineQuestion(path)
    said = _look(path, asking)
    while wait and said["state"] in _OPEN:
        time.sleep(_PERIOD)
        said = _look(path, asking)
    click.echo(json.dumps(said) if as_json else _text(said, path))
    if asking.trouble:
        click.echo(f"whether its job is still there could not be asked: {asking.trouble}", err=True)
    return COOKED if said["state"] in {"cooked", *_OPEN} else UNCOOKED


def _path(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return unquote(parts.path)
    if parts.scheme in {"http", "https"}:
        raise CookRefusedError(f'"{uri}" is a page of the farm: open it in a browser')
    return uri


def _read(path: str) -> dict[str, Any]:
    try:
        said = json.loads(Path(path).read_text(encoding="utf-8"))
        state = said["state"]
    except OSError as error:
        raise CookRefusedError(f'there is no status at "{path}": {error.strerror or error}\n    {_ELSE}') from error
    except (ValueError, KeyError, TypeError) as error:
        raise CookRefusedError(f'"{path}" is no status of a cook\n    {_ELSE}') from error
    if state in _OPEN and said.get("host") in {"", socket.gethostname()} and not _runs(int(said.get("pid") or 0)):
        # It may have told its end between the two looks.
        again = json.loads(Path(path).read_text(encoding="utf-8"))
        said = {**again, "state": "lost"} if again["state"] in _OPEN else again
    return dict(said)


def _look(path: str, asking: EngineQuestion) -> dict[str, Any]:
    """What is said, and of a cook on a farm that cannot say it any more, that it has ended."""
    said = _read(path)
    if said["state"] not in _OPEN or said.get("host") in {"", socket.gethostname()}:
        return said
    ended = asking.end()
    if not ended:
        return said
    # It may have told its end between the two looks.
    said = _read(path)
    return {**said, "state": "lost", "reason": ended} if said["state"] in _OPEN else said


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        # In a container nobody may bury it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return pid > 0


def _text(said: dict[str, Any], path: str) -> str:
    counts = said.get("counts") or {}
    parts = [f"{counts[word]:,} {word}" for word in _WORDS if counts.get(word)]
    took = (said.get("finished") or time.time()) - said["started"]
    lines = [f"{said['state']}: {', '.join(parts) or 'no work items yet'}, {seconds(max(0.0, took))}"]
    if said["state"] == "submitted" and said.get("host"):
        lines.append(f"  not begun yet on {said['host']}")
    if said["state"] in _OPEN:
        from topcook.runtime.summary import printable

        lines += [f"  {name} waits for {printable(words)}" for name, words in (said.get("waits") or {}).items()]
    log = os.path.join(os.path.dirname(path), "cook.log")
    if said.get("reason"):
        lines.append("  " + str(said["reason"]).replace("\n", "\n  "))
    elif said["state"] == "lost":
        lines.append(f"  its process {said.get('pid')} is gone without a word")
    if said["state"] not in {"cooked", *_OPEN} and os.path.isfile(log):
        lines.append(f"  what it said: {shown_path(log)}")
    if said["state"] == "detached":
        lines.append(f"  go on with it: topcook resume {said.get('cook')}")
    if said.get("report") and os.path.isfile(said["report"]):
        lines.append(f"  report: {shown_path(said['report'])}")
    return "\n".join(lines)
