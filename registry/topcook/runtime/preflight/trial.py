"""Sends the tiny job through a scheduler, as a cook sends any, and brings back what it found."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topcook.errors import CookRefusedError, ProblemsError
from topcook.factory.diagnosis import BAD, NOTE, Diagnosis, Finding
from topcook.lean import dataclass
from topcook.model.states import WorkItemState
from topcook.runtime.handingover import REJECTED
from topcook.runtime.preflight.verdicts import findings_of, unheard
from topcook.runtime.reports import item_log_path
from topcook.runtime.standstill import words_of

if TYPE_CHECKING:
    from topcook.model.workitem import WorkItem
    from topcook.runtime.api import GraphContext
    from topcook.runtime.cook import Cook
    from topcook.runtime.host import Host

__all__ = ["Trial", "Tried", "schedulers_of"]

#: How long a file that was written over there may take to be seen here.
SEEN_WITHIN = 30.0
ENDS_WITHIN = 40.0
SWEPT_WITHIN = 5.0
_LOOK = 0.05
_MARK = "TOPCOOK-PREFLIGHT "


@dataclass(slots=True)
class Tried:
    """How the job fared: its item, what it found (``None``: nothing was heard), and times of this machine's clock.

    ``seen_after``: seconds until its file was seen here, ``None`` when it was not. ``stuck``: what was waited for,
    ``said``: what its scheduler had told by then; ``errors``: those that it told until the end.
    """

    host: Host
    item: WorkItem | None
    found: dict[str, Any] | None = None
    before: float = 0.0
    after: float = 0.0
    seen_after: float | None = None
    stuck: str = ""
    messages: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    log: str = ""
    log_tail: str = ""
    #: What its file of findings is called.
    name: str = ""


def schedulers_of(context: GraphContext, nodes: tuple[str, ...] = ()) -> list[str]:
    """The schedulers that cook something: those of these nodes and all above them, else of the whole network's."""
    from topcook.runtime.cookset import with_ancestors

    core = context.core
    wanted = with_ancestors(context.wanted(nodes)) if nodes else core.network.nodes.values()
    return list(dict.fromkeys(core.scheduler_name_for(node) for node in wanted))


class Trial:
    """One scheduler's tiny job, on a thread of its own; others may be under way in other contexts."""

    def __init__(self, context: GraphContext, name: str, timeout: float) -> None:
        """Get ready to cook one tiny item on this scheduler; ``timeout`` is in seconds, from its start on."""
        self._context = context
        self._host = context.core.host(name)
        self._timeout = timeout
        self._until = 0.0
        self._cook: Cook | None = None
        self._canceled = False
        self._found: Diagnosis | None = None
        self._error: BaseException | None = None
        #: Not the thread's own end: a ``join`` that Ctrl-C interrupts takes the thread for ended.
        self._over = threading.Event()
        # Nothing waits at the end of the process for a callback that hangs.
        self._thread = threading.Thread(target=self._run, name=f"topcook-preflight-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._until = time.monotonic() + self._timeout
        self._thread.start()

    def wait(self) -> Diagnosis:
        """What was found, once the job and its scheduler have ended. Raises what went wrong here."""
        self._over.wait()
        if self._error is not None:
            raise self._error
        assert self._found is not None  # noqa: S101 - the thread has ended, and nothing went wrong
        return self._found

    def cancel(self) -> None:
        """Have the job ended; ``wait_for_end`` waits for that."""
        self._canceled = True
        if self._cook is not None:
            self._cook.cancel("interrupted")

    def wait_for_end(self, seconds: float) -> None:
        """Wait until it has ended, so many seconds at the most."""
        if self._thread.ident is not None:
            self._over.wait(seconds)

    def kill(self) -> None:
        """End the job at once, if it is a process of this machine."""
        if self._cook is not None and not self._over.is_set():
            self._cook.kill()

    def _run(self) -> None:
        self._context.core.factory.registry.adopt_thread()
        try:
            self._found = self._inspect()
        except BaseException as error:  # noqa: BLE001 - carried to whoever waits
            self._error = error
        finally:
            self._over.set()

    def _inspect(self) -> Diagnosis:
        host = self._host
        subject = f"{host.name} ({host.type_name})"
        if host.runs_no_jobs:
            return _not_applicable(subject, "it runs Python functions in this process, and no commands")
        try:
            tried = self._try()
        except (CookRefusedError, ProblemsError) as error:
            problems = error.problems if isinstance(error, ProblemsError) else []
            text = problems[0].message if problems else str(error)
            first, _, rest = text.partition("\n")
            hint = (problems[0].hint if problems else "") or " ".join(rest.split())
            return Diagnosis(subject, "cannot be used", [Finding("scheduler", BAD, first, hint)])
        if self._canceled:
            _sweep(host)
        if refusal := _refusal(tried):
            _sweep(host)
            return _not_applicable(subject, f"it takes Python functions only: {refusal}")
        findings = findings_of(tried) if tried.found is not None else unheard(tried)
        if all(finding.state != BAD for finding in findings):
            _sweep(host)
            return Diagnosis(subject, "ready", findings)
        left = host.directories.temp_dir(local=True)
        if os.path.isdir(left):
            findings.append(Finding("files", NOTE, f"what it wrote is left for you to look at: {left}"))
        return Diagnosis(subject, "not ready", findings)

    def _try(self) -> Tried:
        context, host = self._context, self._host
        node = f"preflight_{host.name}"
        # What an earlier one has left in a directory of somebody's own says nothing of today.
        name = f"{host.name}-{secrets.token_hex(4)}"
        context.addNode("genericgenerator", node)
        context.setParameter(node, "command", _command(context, name))
        context.setScheduler(node, host.name)
        cook = context.prepare([node])
        context.open_schedulers(cook, self._while_opening)
        tried = Tried(host, None, name=name, before=time.time())
        self._cook = cook
        cook.start()
        if self._canceled:
            cook.cancel("interrupted")
        if not cook.wait(max(0.0, self._until - time.monotonic())):
            tried.stuck = f"within {self._timeout:g} s: {_waits_for(cook, host)}"
            tried.said = tuple(each.text for each in cook.messages if each.source == host.name and each.level != "info")
            cook.cancel("the preflight's time is over")
            if not cook.wait(ENDS_WITHIN):
                cook.kill()
        tried.after = time.time()
        if cook.outcome == "refused":
            raise ProblemsError(cook.generation_problems, "the job cannot be made")
        tried.item = next(iter(cook.state.all_items()), None)
        tried.messages = tuple(each.text for each in cook.messages if each.level != "info")
        tried.errors = tuple(each.text for each in cook.messages if each.source == host.name and each.level == "error")
        if not self._canceled:
            _bring_back(tried)
        return tried

    def _while_opening(self) -> None:
        """A callback that hangs before the cook is not waited for without end either."""
        if self._canceled:
            raise CookRefusedError("interrupted")
        if time.monotonic() > self._until:
            stands = self._host.where_it_stands().partition("\n")[0].rstrip(":") or "its thread does not come to it"
            longer = "mend that callback, or give it longer: topcook preflight --timeout SECONDS"
            raise CookRefusedError(f"nothing was heard within {self._timeout:g} s: {stands}\n{longer}")


def _not_applicable(subject: str, why: str) -> Diagnosis:
    return Diagnosis(subject, "not applicable", [Finding("job", NOTE, f"{why}: there is no other machine to look at")])


def _refusal(tried: Tried) -> str:
    """How a scheduler for Python functions refused the job for being a command; empty where it did not."""
    host, item = tried.host, tried.item
    if item is None or item.state is not WorkItemState.CookedFail or not host.accepts_in_process:
        return ""
    reasons = [text.partition("\n")[0] for text in (item.run.messages if item.run is not None else ())]
    said_so = getattr(host.cls, "runsNoJobs", False) or any(text.endswith(REJECTED) for text in reasons)
    return reasons[0] if said_so and reasons else ""


def _sweep(host: Host) -> None:
    """Take away what a job has written of which there is no more to say."""
    directories = host.directories
    temp = Path(directories.temp_dir(local=True))
    if directories.temp is not None:
        # Somebody's own, where other things may lie.
        shutil.rmtree(temp / "preflight", ignore_errors=True)
        return
    until = time.monotonic() + SWEPT_WITHIN
    shutil.rmtree(temp, ignore_errors=True)
    # Over there the job may be at its last lines.
    while temp.exists() and time.monotonic() < until:
        time.sleep(_LOOK)
        shutil.rmtree(temp, ignore_errors=True)
    with suppress(OSError):
        temp.parent.rmdir()


def _command(context: GraphContext, name: str) -> str:
    words = f'__PDG_PYTHON__ "__PDG_SCRIPTDIR__/preflight.py" "__PDG_TEMP__/preflight" {name}'
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
    words = words_of(cook.link, cook.state).get(host.name, "")
    return f"its job is {item.state.name}{told}" + (f"; {host.name} waits for {words}" if words else "")


def _bring_back(tried: Tried) -> None:
    """What the job found: its file, seen with time; else what it told; else what is in its log."""
    host, item = tried.host, tried.item
    if item is None:
        return
    path = Path(host.directories.temp_dir(local=True)) / "preflight" / f"{tried.name}.json"
    told = (item.attributes or {}).get("preflight")
    # Where nothing else was heard the file need not be waited for: the job may not have run at all.
    until = time.monotonic() + (SEEN_WITHIN if told is not None else 1.0)
    began = time.monotonic()
    while tried.seen_after is None and time.monotonic() < until:
        with suppress(OSError, ValueError):
            # The directory itself first: a network file system remembers what was not there.
            os.listdir(path.parent)
            tried.found = json.loads(path.read_text(encoding="utf-8"))
            tried.seen_after = time.monotonic() - began
            return
        time.sleep(_LOOK)
    # A line that a full disk has cut says nothing.
    with suppress(OSError, ValueError):
        tried.log = item_log_path(host.graph, item)
        lines = Path(tried.log).read_text(encoding="utf-8", errors="replace").splitlines()
        tried.log_tail = "\n".join(line for line in lines[-5:] if not line.startswith(_MARK))
        for line in lines:
            if line.startswith(_MARK):
                tried.found = json.loads(line.removeprefix(_MARK))
    if tried.found is None and told is not None:
        tried.found = {**json.loads(str(told.values[0])), "server": ""}
