"""Sends the tiny job through a scheduler, as a cook sends any, and brings back what it found."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topcook.errors import CookRefusedError, ProblemsError
from topcook.factory.diagnosis import BAD, Diagnosis, Finding
from topcook.lean import dataclass
from topcook.runtime.preflight.verdicts import findings_of, unheard
from topcook.runtime.reports import item_log_path

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem
    from topcook.runtime.api import GraphContext
    from topcook.runtime.cook import Cook
    from topcook.runtime.host import Host

__all__ = ["Flown", "inspect", "schedulers_of"]

#: Runs functions in this process; it takes no commands, and there is no over there.
IN_PROCESS = "inprocessscheduler"
#: How long a file that was written over there may take to be seen here.
SEEN_WITHIN = 30.0
ENDS_WITHIN = 40.0
_LOOK = 0.05
_MARK = "TOPCOOK-PREFLIGHT "


@dataclass(slots=True)
class Flown:
    """How the job fared: its item, what it found (``None``: nothing was heard), and times of this machine's clock.

    ``seen_after``: seconds until its file was seen here, ``None`` when it was not. ``stuck``: what was waited for.
    """

    host: Host
    item: WorkItem | None
    found: dict[str, Any] | None = None
    before: float = 0.0
    after: float = 0.0
    seen_after: float | None = None
    stuck: str = ""
    messages: tuple[str, ...] = ()
    log: str = ""
    log_tail: str = ""


def schedulers_of(context: GraphContext, nodes: tuple[str, ...] = ()) -> list[str]:
    """The schedulers that cook something: those of these nodes and all above them, else of the whole network's."""
    from topcook.runtime.cookset import with_ancestors

    core = context.core
    wanted = with_ancestors(context.wanted(nodes)) if nodes else core.network.nodes.values()
    return list(dict.fromkeys(core.scheduler_name_for(node) for node in wanted))


def inspect(context: GraphContext, name: str, timeout: float) -> Diagnosis:
    """Cook one tiny item on this scheduler, and say what it found; ``timeout`` is in seconds."""
    host = context.core.host(name)
    subject = f"{name} ({host.type_name})"
    if host.type_name == IN_PROCESS:
        return Diagnosis(subject, "works in this process", [])
    try:
        flown = _fly(context, host, timeout)
    except (CookRefusedError, ProblemsError) as error:
        problems = error.problems if isinstance(error, ProblemsError) else []
        text = problems[0].message if problems else str(error)
        first, _, rest = text.partition("\n")
        hint = (problems[0].hint if problems else "") or " ".join(rest.split())
        return Diagnosis(subject, "cannot be used", [Finding("scheduler", BAD, first, hint)])
    findings = findings_of(flown) if flown.found is not None else unheard(flown)
    healthy = all(finding.state != BAD for finding in findings)
    return Diagnosis(subject, "ready" if healthy else "not ready", findings)


def _fly(context: GraphContext, host: Host, timeout: float) -> Flown:
    node = f"preflight_{host.name}"
    context.addNode("genericgenerator", node)
    context.setParameter(node, "command", _command(context, host))
    context.setScheduler(node, host.name)
    cook = context.prepare([node])
    context.open_schedulers(cook)
    flown = Flown(host, None, before=time.time())
    cook.start()
    if not cook.wait(timeout):
        flown.stuck = _waits_for(cook, host)
        cook.cancel("the preflight's time is over")
        if not cook.wait(ENDS_WITHIN):
            cook.kill()
    flown.after = time.time()
    if cook.outcome == "refused":
        raise ProblemsError(cook.generation_problems, "the job cannot be made")
    flown.item = next(iter(cook.state.all_items()), None)
    flown.messages = tuple(each.text for each in cook.messages if each.level != "message")
    _bring_back(flown)
    return flown


def _command(context: GraphContext, host: Host) -> str:
    words = f'__PDG_PYTHON__ "__PDG_SCRIPTDIR__/preflight.py" "__PDG_TEMP__/preflight" {host.name}'
    return f'{words} "__PDG_HYTHON__"' if _uses_hython(context) else words


def _uses_hython(context: GraphContext) -> bool:
    texts = (
        str(value) for node in context.core.network.nodes.values() for parm in node.parms for value in parm.values or ()
    )
    return any("hython" in text.lower() for text in texts)


def _waits_for(cook: Cook, host: Host) -> str:
    stands = host.where_it_stands()
    if stands:
        return stands.partition("\n")[0].rstrip(":")
    item = next(iter(cook.state.all_items()), None)
    if item is None:
        return "its item was not made"
    told = f' ("{item.run.custom_state}")' if item.run is not None and item.run.custom_state else ""
    return f"its job is {item.state.name}{told}"


def _bring_back(flown: Flown) -> None:
    """What the job found: its file, seen with time; else what it told; else what is in its log."""
    host, item = flown.host, flown.item
    if item is None:
        return
    path = Path(host.directories.temp_dir(local=True)) / "preflight" / f"{host.name}.json"
    told = (item.attributes or {}).get("preflight")
    # Where nothing else was heard the file need not be waited for: the job may not have run at all.
    until = time.monotonic() + (SEEN_WITHIN if told is not None else 1.0)
    began = time.monotonic()
    while flown.seen_after is None and time.monotonic() < until:
        with suppress(OSError, ValueError):
            # The directory itself first: a network file system remembers what was not there.
            os.listdir(path.parent)
            flown.found = json.loads(path.read_text(encoding="utf-8"))
            flown.seen_after = time.monotonic() - began
            return
        time.sleep(_LOOK)
    with suppress(OSError):
        flown.log = item_log_path(host.graph, item)
        lines = Path(flown.log).read_text(encoding="utf-8", errors="replace").splitlines()
        flown.log_tail = "\n".join(line for line in lines[-5:] if not line.startswith(_MARK))
        for line in lines:
            if line.startswith(_MARK):
                flown.found = json.loads(line.removeprefix(_MARK))
    if flown.found is None and told is not None:
        flown.found = {**json.loads(str(told.values[0])), "server": ""}
